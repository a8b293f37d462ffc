/** The pots; which plant stands in which is a matter of taste, see `PlantDrawing`. */
export type PotShape = "tapered" | "belly" | "cylinder" | "bowl" | "footed";
export type Glaze = "clay" | "chalk" | "slate" | "moss" | "sand";

export const glazes: readonly Glaze[] = ["clay", "chalk", "slate", "moss", "sand"];

/** Body, and the part of it that lies in the shade; the rim lies at y = 97, the ground at y = 134. */
const bodies: Record<PotShape, { body: string; shade: string; mouth: [width: number, y: number] }> = {
  tapered: {
    body: "M40 103H80L75.5 131Q75 134 72 134H48Q45 134 44.5 131Z",
    shade: "M68 103H80L75.5 131Q75 134 72 134H64.5Q67.5 119 68 103Z",
    mouth: [22, 98],
  },
  belly: {
    body: "M44 98C34 106 36 134 52 134H68C84 134 86 106 76 98Z",
    shade: "M67 98C75 108 75 126 62 134H68C84 134 86 106 76 98Z",
    mouth: [16, 98],
  },
  cylinder: {
    body: "M40 98H80V129Q80 134 75 134H45Q40 134 40 129Z",
    shade: "M68 98H80V129Q80 134 75 134H66.5Q68 130 68 126Z",
    mouth: [20, 98],
  },
  bowl: {
    body: "M33 104H87C87 122 78 134 66 134H54C42 134 33 122 33 104Z",
    shade: "M74 104H87C87 122 78 134 66 134H61C70 128 74 116 74 104Z",
    mouth: [27, 103],
  },
  footed: {
    body: "M39 98H81C81 114 76 125 68 127H52C44 125 39 114 39 98Z",
    shade: "M69 98H81C81 114 76 125 68 127H61C67 120 69 110 69 98Z",
    mouth: [21, 98],
  },
};

/** The back of the pot and the soil: drawn before the plant. */
export function PotBack({ shape }: { shape: PotShape }): JSX.Element {
  const [width, y] = bodies[shape].mouth;
  return (
    <>
      <ellipse cx={60} cy={134} rx={32} ry={3.4} fill="var(--draw-shadow)" fillOpacity="var(--draw-shadow-opacity)" />
      <ellipse cx={60} cy={y} rx={width} ry={4} fill="var(--draw-soil-shade)" />
      <ellipse cx={60} cy={y + 0.8} rx={width - 2} ry={3} fill="var(--draw-soil)" />
    </>
  );
}

/** The front of the pot: drawn over the feet of the leaves. */
export function PotFront({ shape, glaze }: { shape: PotShape; glaze: Glaze }): JSX.Element {
  const { body, shade } = bodies[shape];
  const [light, dark, line] = [`var(--draw-pot-${glaze})`, `var(--draw-pot-${glaze}-shade)`, `var(--draw-pot-${glaze}-line)`];
  return (
    <>
      {shape === "footed" && (
        <path d="M47 122 43 134M73 122 77 134" stroke="var(--draw-bark)" strokeWidth={3} strokeLinecap="round" />
      )}
      <path d={body} fill={light} />
      <path d={shade} fill={dark} />
      {shape === "tapered" && (
        <>
          <rect x={37} y={97} width={46} height={9} rx={2.4} fill={light} />
          <path d="M70 97H80.6Q83 97 83 99.4V103.6Q83 106 80.6 106H70Z" fill={dark} />
          <path d="M41.5 108.5H78.5" stroke={line} strokeWidth={1} opacity={0.7} />
        </>
      )}
      {shape === "belly" && (
        <path d="M39.5 110Q60 115 80.5 110M38.7 115Q60 120 81.3 115" fill="none" stroke={line} strokeWidth={1.3} />
      )}
      {shape === "cylinder" && (
        <path
          d="M40.5 117 45.4 111 50.3 117 55.2 111 60.1 117 65 111 69.9 117 74.8 111 79.5 117"
          fill="none" stroke={line} strokeWidth={1.3} strokeLinejoin="round"
        />
      )}
      {shape === "bowl" && (
        <>
          <rect x={31.5} y={101} width={57} height={6} rx={2.6} fill={light} />
          <path d="M76 101H86Q88.5 101 88.5 104T86 107H76Z" fill={dark} />
        </>
      )}
      {shape === "footed" && <path d="M40 106Q60 110 80 106" fill="none" stroke={line} strokeWidth={1.3} />}
    </>
  );
}
