// Times in the zone of who looks: live parts are drawn once for all who look, in UTC.
const zone = document.documentElement.dataset.zone;
const parts = zone
  ? new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    })
  : null;

function read(moment) {
  const found = Object.fromEntries(parts.formatToParts(moment).map((part) => [part.type, part.value]));
  const day = `${found.year}-${found.month}-${found.day}`;
  return { ...found, date: day, time: `${found.hour}:${found.minute}:${found.second}` };
}

function write(node, name, text) {
  if (node[name] !== text) node[name] = text;
}

function localise() {
  const today = read(new Date()).date;
  for (const node of document.querySelectorAll("time[datetime]")) {
    const at = read(new Date(node.dateTime));
    write(node, "title", `${at.date} ${at.time} ${zone}`);
    if (node.dataset.clock === "seconds") write(node, "textContent", at.time);
    if (node.dataset.clock === "minutes") {
      const minute = at.time.slice(0, 5);
      write(node, "textContent", at.date === today ? minute : `${at.date.slice(5)} ${minute}`);
    }
  }
}

if (parts) {
  document.addEventListener("htmx:afterSettle", localise);
  document.addEventListener("oms:fresh", localise);
  localise();
}
