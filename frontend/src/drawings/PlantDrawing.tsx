import type { ComponentType } from "react";
import type { PlantStatus } from "../api/types";
import { PotBack, PotFront, glazes } from "./Pot";
import type { Glaze, PotShape } from "./Pot";
import { drawingClass } from "./classes";
import type { DrawingClass } from "./classes";
import { Carnivorous, Seedling } from "./foliage/curious";
import { Herb, Spikes, Vegetable } from "./foliage/edible";
import { Fern, Grass, Palm, Rods, Sword, Tuft } from "./foliage/feathered";
import { Flowering, Orchid, Spathe } from "./foliage/flowering";
import { Cactus, Echeveria, Jade, Rosette } from "./foliage/succulents";
import { Pearls, PearlsOverPot, Vine, VineOverPot } from "./foliage/trailing";
import { Fiddle, Tree, Umbrella } from "./foliage/trees";
import { Broadleaf, Coins, Monstera, Prayer } from "./foliage/tropical";
import type { FoliageProps } from "./primitives";

export { drawingClass } from "./classes";
export type { DrawingClass } from "./classes";

interface Kind {
  readonly foliage: ComponentType<FoliageProps>;
  /** What hangs over the rim of the pot. */
  readonly over?: ComponentType<FoliageProps>;
  readonly pot: PotShape;
  /** How large the plant is to its pot. */
  readonly scale?: number;
}

const kinds: Readonly<Record<DrawingClass, Kind>> = {
  monstera: { foliage: Monstera, pot: "belly", scale: 0.96 },
  broadleaf: { foliage: Broadleaf, pot: "cylinder", scale: 1.06 },
  prayer: { foliage: Prayer, pot: "footed" },
  coins: { foliage: Coins, pot: "cylinder" },
  rosette: { foliage: Rosette, pot: "tapered", scale: 1.14 },
  echeveria: { foliage: Echeveria, pot: "bowl", scale: 1.08 },
  jade: { foliage: Jade, pot: "bowl", scale: 1.12 },
  cactus: { foliage: Cactus, pot: "tapered", scale: 1.12 },
  fern: { foliage: Fern, pot: "footed", scale: 1.12 },
  palm: { foliage: Palm, pot: "belly", scale: 0.96 },
  tuft: { foliage: Tuft, pot: "cylinder", scale: 1.1 },
  grass: { foliage: Grass, pot: "tapered", scale: 1.04 },
  rods: { foliage: Rods, pot: "belly", scale: 1.06 },
  sword: { foliage: Sword, pot: "footed" },
  orchid: { foliage: Orchid, pot: "cylinder", scale: 1.04 },
  lily: { foliage: (props) => <Spathe {...props} tone="cream" />, pot: "belly" },
  flamingo: { foliage: (props) => <Spathe {...props} tone="bloom" />, pot: "cylinder" },
  flowering: { foliage: Flowering, pot: "tapered", scale: 1.14 },
  fiddle: { foliage: Fiddle, pot: "footed", scale: 1.06 },
  tree: { foliage: Tree, pot: "tapered", scale: 1.02 },
  umbrella: { foliage: Umbrella, pot: "belly" },
  vine: { foliage: Vine, over: VineOverPot, pot: "belly", scale: 1.04 },
  pearls: { foliage: Pearls, over: PearlsOverPot, pot: "bowl" },
  herb: { foliage: Herb, pot: "tapered", scale: 1.2 },
  spikes: { foliage: Spikes, pot: "tapered", scale: 1.16 },
  vegetable: { foliage: Vegetable, pot: "tapered" },
  carnivorous: { foliage: Carnivorous, pot: "bowl", scale: 1.1 },
  seedling: { foliage: Seedling, pot: "tapered", scale: 1.2 },
};

/** The same name has the same glaze on every visit. */
function glazeOf(seed: string): Glaze {
  let sum = 0;
  for (const character of seed) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return glazes[sum % glazes.length]!;
}

export interface PlantDrawingProps {
  readonly species: string | null;
  readonly status: PlantStatus;
  /** Width in pixels; the drawing is 6 wide and 7 high. Without it the stylesheet says. */
  readonly size?: number;
  /** Said to those who do not see it; without it the drawing is an ornament. */
  readonly title?: string;
  /** What chooses the glaze of the pot, for instance the plant's id, so that two of one species differ. */
  readonly seed?: string;
  /** Moves in the air all the time; else only while pointed at. */
  readonly lively?: boolean;
  /** Another name to tell the species by. */
  readonly otherName?: string | null;
}

/** A plant in its pot, as its species looks; a critical one hangs its leaves. */
export function PlantDrawing({ species, status, size, title, seed, lively = false, otherName }: PlantDrawingProps): JSX.Element {
  const kind = drawingClass(species, otherName);
  const { foliage: Foliage, over: Over, pot, scale = 1 } = kinds[kind];
  const droop = status === "critical" ? 1 : 0;
  return (
    <svg
      className={lively ? "draw-plant draw-lively" : "draw-plant"} viewBox="0 0 120 140" data-kind={kind} data-status={status}
      width={size} height={size === undefined ? undefined : (size * 7) / 6}
      role={title ? "img" : undefined} aria-hidden={title ? undefined : true} focusable="false"
    >
      {title && <title>{title}</title>}
      <PotBack shape={pot} />
      <g transform={`translate(60 101) scale(${scale}) translate(-60 -101)`}>
        <Foliage droop={droop} />
      </g>
      <PotFront shape={pot} glaze={glazeOf(seed ?? species ?? kind)} />
      {Over && <Over droop={droop} />}
    </svg>
  );
}
