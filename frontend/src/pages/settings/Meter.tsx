/** How much of something is taken. The words beside it say the same. */
export function Meter({ share, tone = "ok" }: { share: number; tone?: "ok" | "warning" | "critical" }): JSX.Element {
  const percent = Math.min(100, Math.max(0, share * 100));
  return (
    <div className={`settings-meter settings-meter-${tone}`} aria-hidden="true">
      <span style={{ width: `${percent}%` }} />
    </div>
  );
}
