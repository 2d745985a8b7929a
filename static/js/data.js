// Data that the server prints into a page, now and again after each live update.

export function read(id) {
  const block = document.getElementById(id);
  return block ? JSON.parse(block.textContent) : null;
}

export function follow(id, tell) {
  let last = null;
  const look = () => {
    const block = document.getElementById(id);
    if (!block || block.textContent === last) return;
    last = block.textContent;
    tell(JSON.parse(last));
  };
  for (const name of ["oms:fresh", "htmx:oobAfterSwap"]) document.addEventListener(name, look);
  look();
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--oms-${name}`).trim();
}
