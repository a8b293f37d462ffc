import { useCallback, useEffect, useId, useRef, useState } from "react";
import type { Plant, PlantStatus } from "../../api/types";
import { useSession } from "../../app/session";
import { PlantDrawing } from "../../drawings/PlantDrawing";
import { RoomDrawing } from "../../drawings/RoomDrawing";
import { useFormat } from "../../format";
import { useT } from "../../i18n";
import { StatusBadge } from "../../ui/Badges";
import { RoomPlant, standing } from "./RoomPlant";
import { entrance, labelHeight, labelLines, plantWidth } from "./places";
import { useArranging } from "./useArranging";

const statuses: readonly PlantStatus[] = ["critical", "warning", "stale", "unknown", "ok"];
/** Time to move the pointer from a plant to its values. */
const patience = 220;

/** One room, with its plants where they stand and those that wait to be placed. */
export function RoomStage({ plants }: { plants: readonly Plant[] }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const mayArrange = useSession().may("member");
  const hintId = useId();
  const trayId = useId();
  const stage = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 800, height: 600 });
  const [open, setOpen] = useState<string | null>(null);
  const closing = useRef<ReturnType<typeof setTimeout>>();
  const arranging = useArranging(stage, plants, mayArrange);

  useEffect(() => {
    const element = stage.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => () => clearTimeout(closing.current), []);

  const show = useCallback((id: string | null, isHover = false) => {
    clearTimeout(closing.current);
    if (id === null && isHover) {
      // What has the focus stays open.
      const focused = document.activeElement?.closest("li")?.querySelector<HTMLElement>("[data-plant]")?.dataset["plant"] ?? null;
      closing.current = setTimeout(() => setOpen(focused), patience);
    } else {
      setOpen(id);
    }
  }, []);

  const { held } = arranging;
  const byName = [...plants].sort((one, other) => one.name.localeCompare(other.name));
  // What comes from the tray stays in it while it is carried: keyboard and pointer hold on to its element.
  const isWaiting = (plant: Plant): boolean =>
    held?.id === plant.id ? held.from === null : arranging.positionOf(plant) === null;
  const waiting = byName.filter(isWaiting);
  const placed = byName.filter((plant) => !isWaiting(plant));
  const carried = held?.from === null ? plants.find((plant) => plant.id === held.id) : undefined;
  const positions = new Map(placed.map((plant) => [plant.id, arranging.positionOf(plant) ?? entrance]));
  const lines = labelLines(
    placed.map((plant) => {
      const { x, y } = positions.get(plant.id) ?? entrance;
      return { id: plant.id, x: (x / 100) * size.width, y: (y / 100) * size.height, width: labelWidth(plant.name, size.width) };
    }),
    // A name may hang over the lower edge of the room a little.
    size.height + 2 * labelHeight,
  );
  const common = { arranging, mayArrange, hintId, onOpen: show, onFocusTaken: arranging.welcome };
  return (
    <>
      {mayArrange && <p className="visually-hidden" id={hintId}>{t("room.keyboard_hint")}</p>}
      <p className="visually-hidden" aria-live="assertive" aria-atomic>{arranging.announcement}</p>
      <div className={held ? "room-stage is-arranging" : "room-stage"} ref={stage}>
        <RoomDrawing stretch={size.width / size.height / (4 / 3)} />
        <ul className="room-plants" aria-label={t("room.plants")}>
          {placed.map((plant) => {
            const position = positions.get(plant.id) ?? entrance;
            return (
              <RoomPlant
                key={plant.id} plant={plant} position={position} width={plantWidth(position, size.width)}
                isOpen={open === plant.id} takesFocus={arranging.arrived === plant.id} {...common}
              />
            );
          })}
        </ul>
        {/* Above all plants: leaves in front would cover them. The buttons say them, too. */}
        <div className="room-names" aria-hidden>
          {placed.map((plant) => {
            const line = lines.get(plant.id) ?? (open === plant.id ? 0 : undefined);
            return line !== undefined && (
              <span key={plant.id} className={`room-name room-name-${line}`} style={standing(positions.get(plant.id) ?? entrance, 0)}>
                {plant.name}
              </span>
            );
          })}
        </div>
        {carried && held && (
          <div className="room-plant is-held" aria-hidden style={standing(held.at, plantWidth(held.at, size.width))}>
            <span className="room-ring" />
            <PlantDrawing species={carried.species} status={carried.status} seed={carried.id} />
          </div>
        )}
      </div>
      {waiting.length > 0 && (
        <section className="room-tray" aria-labelledby={trayId}>
          <h2 id={trayId}>{t("room.tray")}</h2>
          <p className="soft">{t(mayArrange ? "room.tray_hint" : "room.tray_viewer")}</p>
          <ul>
            {waiting.map((plant) => (
              <RoomPlant
                key={plant.id} plant={plant} position={null} width={64} isOpen={open === plant.id}
                takesFocus={arranging.arrived === plant.id} {...common}
              />
            ))}
          </ul>
        </section>
      )}
      <ul className="room-counts" aria-label={t("room.counts")}>
        {statuses.map((status) => {
          const count = plants.filter((plant) => plant.status === status).length;
          return count > 0 && <li key={status}><span className="figure">{format.number(count)}</span> <StatusBadge status={status} /></li>;
        })}
      </ul>
    </>
  );
}

/** About what the stylesheet makes of it: letters of 12 px, less on phones, cut off at some length. */
function labelWidth(name: string, stageWidth: number): number {
  const letter = stageWidth < 480 ? 6 : 6.8;
  return Math.min(stageWidth < 480 ? 92 : 132, name.length * letter + 12);
}
