/**
 * A place where pots can stand: a line from `left` to `right` at the height `y`, all in 0 … 100 of the room as plants'
 * positions are. A pot's foot is on it.
 */
export interface Place {
  readonly id: "shelf" | "sill" | "table" | "sideboard" | "floor";
  readonly left: number;
  readonly right: number;
  readonly y: number;
}

/** From the back to the front. */
export const places: readonly Place[] = [
  { id: "shelf", left: 71, right: 95, y: 34 },
  { id: "sill", left: 24, right: 58, y: 51 },
  { id: "sideboard", left: 66, right: 97, y: 64 },
  { id: "table", left: 5, right: 31, y: 73 },
  { id: "floor", left: 3, right: 97, y: 94 },
];

/** Where the floor begins; what stands lower stands on it, at any depth. */
export const floorLine = 80;

const Box = ({ x, y, width, height, tone, radius = 0 }: {
  x: number; y: number; width: number; height: number; tone: string; radius?: number;
}): JSX.Element => <rect x={x} y={y} width={width} height={height} rx={radius} fill={`var(--draw-room-${tone})`} />;

function Wall(): JSX.Element {
  return (
    <>
      <Box x={0} y={0} width={1000} height={600} tone="wall" />
      {Array.from({ length: 10 }, (_, index) => (
        <Box key={index} x={index * 105 + 18} y={0} width={34} height={586} tone="wall-shade" />
      ))}
      <Box x={0} y={586} width={1000} height={16} tone="skirting" />
      <Box x={0} y={602} width={1000} height={148} tone="floor" />
      <Box x={0} y={602} width={1000} height={12} tone="floor-shade" />
      <path
        d="M0 640H1000M0 688H1000M140 602V640M520 602V640M880 602V640M310 640V688M700 640V688M90 688V750M480 688V750M830 688V750"
        fill="none" stroke="var(--draw-room-floor-line)" strokeWidth={3}
      />
    </>
  );
}

/** The window, with hills far away, its sill and its curtains. */
function Window({ stretch }: { stretch: number }): JSX.Element {
  return (
    <>
      <Box x={262} y={62} width={296} height={316} tone="frame" radius={10} />
      <Box x={278} y={78} width={264} height={284} tone="sky" />
      <Box x={278} y={208} width={264} height={154} tone="sky-low" />
      <ellipse cx={472} cy={142} rx={32 / Math.sqrt(stretch)} ry={32 * Math.sqrt(stretch)} fill="var(--draw-room-sun)" />
      <path d="M278 300Q340 236 410 286Q470 328 542 270V362H278Z" fill="var(--draw-room-hill)" />
      <path d="M278 338Q350 300 420 330Q480 352 542 316V362H278Z" fill="var(--draw-room-hill-near)" />
      <path d="M410 78V362M278 206H542" stroke="var(--draw-room-frame)" strokeWidth={12} />
      <path d="M416 78V362M278 212H542" stroke="var(--draw-room-frame-shade)" strokeWidth={2.5} />
      <path d="M216 46H604" stroke="var(--draw-room-wood)" strokeWidth={9} strokeLinecap="round" />
      <path d="M230 50C232 180 222 290 214 402H262C276 300 282 180 278 50Z" fill="var(--draw-room-curtain)" />
      <path d="M248 50C250 190 244 300 238 402H262C276 300 282 180 278 50Z" fill="var(--draw-room-curtain-shade)" />
      <path d="M590 50C588 180 598 290 606 402H558C544 300 538 180 542 50Z" fill="var(--draw-room-curtain)" />
      <path d="M560 50C560 190 566 300 572 402H558C544 300 538 180 542 50Z" fill="var(--draw-room-curtain-shade)" />
      <Box x={226} y={378} width={368} height={16} tone="frame" radius={5} />
      <Box x={236} y={394} width={348} height={7} tone="frame-shade" />
    </>
  );
}

function Shelf(): JSX.Element {
  return (
    <>
      <path d="M740 268V290M926 268V290" stroke="var(--draw-room-wood-shade)" strokeWidth={9} strokeLinecap="round" />
      <Box x={704} y={252} width={258} height={14} tone="wood" radius={4} />
      <Box x={704} y={262} width={258} height={6} tone="wood-shade" radius={3} />
      {/* A picture above the sideboard. */}
      <Box x={764} y={318} width={92} height={76} tone="wood" radius={4} />
      <Box x={772} y={326} width={76} height={60} tone="paper" />
      <path d="M810 378V350M810 362C810 350 800 344 788 344C788 356 798 362 810 362ZM810 352C810 342 818 336 830 336C830 346 820 352 810 352Z" fill="var(--draw-room-hill-near)" stroke="var(--draw-room-hill-near)" strokeWidth={2.5} />
    </>
  );
}

function Sideboard(): JSX.Element {
  return (
    <>
      <path d="M684 604 678 646M946 604 952 646" stroke="var(--draw-room-wood-shade)" strokeWidth={11} strokeLinecap="round" />
      <Box x={656} y={474} width={318} height={14} tone="wood-light" radius={4} />
      <Box x={664} y={486} width={302} height={124} tone="wood" radius={5} />
      <Box x={678} y={500} width={132} height={96} tone="wood-light" radius={4} />
      <Box x={820} y={500} width={132} height={44} tone="wood-light" radius={4} />
      <Box x={820} y={552} width={132} height={44} tone="wood-light" radius={4} />
      <Box x={664} y={486} width={302} height={6} tone="wood-shade" />
      <path d="M796 540V556M878 522H894M878 574H894" stroke="var(--draw-room-wood-shade)" strokeWidth={5} strokeLinecap="round" />
    </>
  );
}

function Table(): JSX.Element {
  return (
    <>
      <path d="M74 556 58 690M286 556 302 690" stroke="var(--draw-room-wood-shade)" strokeWidth={11} strokeLinecap="round" />
      <path d="M70 638H290" stroke="var(--draw-room-wood-shade)" strokeWidth={7} />
      <Box x={40} y={540} width={280} height={16} tone="wood-light" radius={7} />
      <Box x={52} y={554} width={256} height={8} tone="wood-shade" radius={3} />
      {/* Books under it. */}
      <Box x={120} y={620} width={84} height={14} tone="accent" radius={3} />
      <Box x={128} y={606} width={70} height={14} tone="accent-shade" radius={3} />
    </>
  );
}

/**
 * A room to stand plants in, light from the window on the left. It fills its parent, whatever that one's shape.
 */
export function RoomDrawing({ stretch = 1 }: {
  /** How much wider than four to three it is shown; what has to stay round is drawn against it. */
  stretch?: number;
}): JSX.Element {
  return (
    <svg className="draw-room" viewBox="0 0 1000 750" preserveAspectRatio="none" aria-hidden focusable="false">
      <Wall />
      <Window stretch={stretch} />
      <Shelf />
      <ellipse cx={530} cy={704} rx={240} ry={30} fill="var(--draw-room-rug)" />
      <ellipse cx={530} cy={704} rx={214} ry={23} fill="none" stroke="var(--draw-room-rug-line)" strokeWidth={3} strokeDasharray="10 8" />
      <Sideboard />
      <Table />
      <path
        d="M278 378H542L760 750H420Z" fill="var(--draw-room-beam)" fillOpacity="var(--draw-room-beam-opacity)" pointerEvents="none"
      />
    </svg>
  );
}
