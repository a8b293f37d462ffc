import { setQuery, useQuery } from "../../app/router";
import { Link } from "../../app/Link";
import { useSession } from "../../app/session";
import { PlantDrawing } from "../../drawings/PlantDrawing";
import { useT } from "../../i18n";
import { useLiveSelection, usePlants } from "../../live/hooks";
import type { Plant } from "../../api/types";
import { Tabs } from "../../ui/Choice";
import { Empty, Waiting } from "../../ui/Notice";
import { PageHeader } from "../../ui/Page";
import { RoomStage } from "./RoomStage";

/** The plants that are in no room have one of their own; no room is called so. */
const nowhere = "";

/** Rooms by name, in the order of the alphabet; those without a room come last. */
function roomsOf(plants: readonly Plant[]): readonly { name: string; plants: readonly Plant[] }[] {
  const rooms = new Map<string, Plant[]>();
  for (const plant of plants) {
    const name = plant.room?.trim() ?? nowhere;
    const inIt = rooms.get(name);
    if (inIt) inIt.push(plant);
    else rooms.set(name, [plant]);
  }
  return [...rooms]
    .map(([name, inIt]) => ({ name, plants: inIt }))
    .sort((one, other) => Number(one.name === nowhere) - Number(other.name === nowhere) || one.name.localeCompare(other.name));
}

/** The rooms, drawn, with the plants where they stand. */
export default function RoomPage(): JSX.Element {
  const t = useT();
  const mayArrange = useSession().may("member");
  const plants = usePlants();
  const isReady = useLiveSelection((state) => state.phase === "ready");
  const query = useQuery();
  // An empty name cannot stand in the address.
  const wanted = query.has("nowhere") ? nowhere : query.get("room");
  const rooms = roomsOf(plants);
  const room = rooms.find(({ name }) => name === wanted) ?? rooms[0];
  const called = (name: string): string => (name === nowhere ? t("room.nowhere") : name);
  const lead = mayArrange
    ? <>{t("room.lead")} <span className="room-keyboard">{t("room.lead_keyboard")}</span></>
    : t("room.lead_viewer");
  return (
    <>
      <PageHeader title={t("nav.room")} lead={room && lead} />
      {!room && !isReady && <Waiting />}
      {!room && isReady && (
        <Empty title={t("room.empty")} drawing={<PlantDrawing species={null} status="ok" size={120} />}>
          <p>{t("room.empty_text")}</p>
          <Link className="button button-primary" to="/">{t("app.to_overview")}</Link>
        </Empty>
      )}
      {room && rooms.length === 1 && room.name !== nowhere && <h2 className="room-title">{room.name}</h2>}
      {room && rooms.length === 1 && <RoomStage plants={room.plants} />}
      {room && rooms.length > 1 && (
        <Tabs
          label={t("room.rooms")} value={room.name} onValue={(name) => setQuery({
            room: name === rooms[0]?.name ? null : name, nowhere: name === nowhere ? "1" : null,
          })}
          tabs={rooms.map(({ name, plants: inIt }) => ({
            value: name, label: t("room.tab", { name: called(name), number: inIt.length }),
          }))}
        >
          <RoomStage key={room.name} plants={room.plants} />
        </Tabs>
      )}
    </>
  );
}
