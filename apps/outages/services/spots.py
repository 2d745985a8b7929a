"""Find where events happened: registry first, coordinates where it knows nothing."""

from collections.abc import Sequence

from apps.network import selectors as network
from apps.outages.correlation.matching import Spot
from apps.outages.rules import Report


class SpotFinder:
    """The places of a batch, resolved as a set."""

    def __init__(
        self, held: network.Snapshot, places: Sequence[network.Place | None]
    ) -> None:
        self.grid = held.grid
        self.places = places
        nodes = self.grid.node_indexes(
            [0 if place is None else place.node_pk or 0 for place in self.places]
        )
        self._nodes: list[int] = nodes.tolist()
        self._transformers: list[int] = (
            self.grid.transformer_of_node[nodes].tolist()
            if nodes.max(initial=-1) >= 0
            else []
        )

    def spot(self, index: int, report: Report) -> Spot | None:
        """Return where the event happened, or None where nothing told can be resolved."""
        place = self.places[index]
        if place is None:
            return _by_coordinates(report)
        if place.kind == "meter":
            return self._at_meter(index, place)
        if place.kind == "substation":
            return Spot(
                substation=place.substation_code,
                by_device=False,
                latitude=place.latitude,
                longitude=place.longitude,
            )
        return self._at_device(place)

    def _at_meter(self, index: int, place: network.Place) -> Spot:
        node = self._nodes[index]
        if node < 0 or not place.feeder_pk:
            return Spot(
                meter_code=place.meter_code,
                latitude=place.latitude,
                longitude=place.longitude,
            )
        return Spot(
            node=node,
            transformer=self._transformers[index],
            feeder_number=place.feeder_pk,
            meter_code=place.meter_code,
            latitude=place.latitude,
            longitude=place.longitude,
        )

    def _at_device(self, place: network.Place) -> Spot:
        found = self.grid.edge_index(place.device_code)
        edge = -1 if found is None else found
        below = self.grid.fed_node(edge) if edge >= 0 else None
        return Spot(
            node=-1 if below is None else below,
            edge=edge,
            feeder_number=place.feeder_pk,
            substation="" if place.feeder_pk else place.substation_code,
            by_device=edge >= 0,
            latitude=place.latitude,
            longitude=place.longitude,
        )


def places_of(
    held: network.Snapshot, reports: Sequence[Report]
) -> list[network.Place | None]:
    """Return the places that the events name, as far as the registry knows them."""
    places: list[network.Place | None] = [None] * len(reports)
    named = [i for i, report in enumerate(reports) if any(report.place)]
    refs = [network.PlaceRef(*reports[i].place) for i in named]
    for i, place in zip(named, network.resolve(refs, held=held), strict=True):
        places[i] = place
    return places


def _by_coordinates(report: Report) -> Spot | None:
    if report.latitude is None:
        return None
    return Spot(latitude=report.latitude, longitude=report.longitude)
