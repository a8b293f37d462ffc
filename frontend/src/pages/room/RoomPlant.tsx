import { useEffect, useRef, type CSSProperties, type FocusEvent } from "react";
import type { Plant, Position } from "../../api/types";
import { Link } from "../../app/Link";
import { Icon } from "../../drawings/icons";
import { PlantDrawing } from "../../drawings/PlantDrawing";
import { useT } from "../../i18n";
import { plantSigns } from "../../ui/Badges";
import { Button } from "../../ui/Button";
import { PlantValues } from "./PlantValues";
import { placeAt } from "./places";
import type { Arranging } from "./useArranging";

interface Props {
  readonly plant: Plant;
  /** Null: it waits in the tray. */
  readonly position: Position | null;
  readonly arranging: Arranging;
  readonly mayArrange: boolean;
  readonly hintId: string;
  /** Width of the drawing in pixels. */
  readonly width: number;
  readonly isOpen: boolean;
  readonly onOpen: (id: string | null, isHover?: boolean) => void;
  /** Was put down a moment ago from the tray: takes the focus along. */
  readonly takesFocus?: boolean;
  readonly onFocusTaken?: () => void;
}

/** A plant where it stands, with the sign of its status, its name, and its values when it is pointed at. */
export function RoomPlant({
  plant, position, arranging, mayArrange, hintId, width, isOpen, onOpen, takesFocus, onFocusTaken,
}: Props): JSX.Element {
  const t = useT();
  const button = useRef<HTMLButtonElement>(null);
  const isHeld = arranging.held?.id === plant.id;
  const [tone, sign] = plantSigns[plant.status];
  const popover = useRef<HTMLDivElement>(null);
  const isShown = isOpen && !arranging.held;
  useEffect(() => {
    // On a phone the values lie below the room, perhaps below the edge of the screen.
    if (isShown && window.matchMedia("(max-width: 40rem)").matches) popover.current?.scrollIntoView({ block: "nearest" });
  }, [isShown]);
  useEffect(() => {
    if (!takesFocus) return;
    button.current?.focus();
    onFocusTaken?.();
  }, [takesFocus, onFocusTaken]);

  function left(event: FocusEvent<HTMLLIElement>): void {
    if (event.currentTarget.contains(event.relatedTarget)) return;
    arranging.blur(plant);
    onOpen(null);
  }

  const names = ["room-plant", `room-plant-${tone}`, isHeld && "is-held", mayArrange && "is-movable",
    position && !isHeld && placeAt(position) === "wall" && "on-bracket"];
  return (
    <li
      onPointerEnter={(event) => event.pointerType === "mouse" && onOpen(plant.id, true)}
      onPointerLeave={(event) => event.pointerType === "mouse" && onOpen(null, true)}
      onBlur={left}
    >
      <button
        ref={button} type="button" className={names.filter(Boolean).join(" ")} style={standing(position, width)} data-plant={plant.id}
        aria-label={t("room.plant", { name: plant.name, status: t(`status.${plant.status}`) })}
        aria-describedby={mayArrange ? hintId : undefined} aria-expanded={isShown}
        onFocus={() => onOpen(plant.id)}
        // What the keyboard presses has no detail, and no drag before it.
        onClick={(event) => (event.detail === 0 || !arranging.wasDragged()) && onOpen(plant.id)}
        onKeyDown={(event) => {
          if (!arranging.keyDown(plant, event) && event.key === "Escape") onOpen(null);
        }}
        onPointerDown={(event) => arranging.pointerDown(plant, event)}
        onPointerMove={(event) => arranging.pointerMove(plant, event)}
        onPointerUp={() => arranging.pointerUp(plant)}
        onPointerCancel={() => arranging.pointerCancel(plant)}
        onLostPointerCapture={() => arranging.pointerCancel(plant)}
      >
        <span className="room-ring" aria-hidden />
        <PlantDrawing species={plant.species} status={plant.status} seed={plant.id} />
        <span className={`room-sign badge-${tone}`} aria-hidden><Icon name={sign} /></span>
        {!position && <span className="room-name">{plant.name}</span>}
      </button>
      {isShown && (
        <div ref={popover} className={position && position.y > 52 ? "room-popover is-above" : "room-popover"} style={standing(position, width)}>
          <PlantValues plant={plant} />
          <div className="room-popover-actions">
            <Link className="button" to={`/plants/${plant.id}`}>{t("room.open_plant", { name: plant.name })}</Link>
            {mayArrange && position && (
              <Button kind="quiet" onClick={() => arranging.takeOut(plant)}>{t("room.take_out")}</Button>
            )}
          </div>
        </div>
      )}
    </li>
  );
}

/** What the stylesheet places a plant, and what belongs to it, by. */
export function standing(position: Position | null, width: number): CSSProperties {
  const place: Record<string, string | number> = { "--width": `${width}px` };
  if (position) Object.assign(place, { "--x": position.x, "--y": position.y });
  return place;
}
