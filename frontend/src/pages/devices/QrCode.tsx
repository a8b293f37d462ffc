import qrcode from "qrcode-generator";
import { useMemo } from "react";

/** A QR code, drawn as one path. Dark on light in both themes: many readers know no other. */
export function QrCode({ text, label }: { text: string; label: string }): JSX.Element {
  const { path, size } = useMemo(() => {
    // M: an eighth of it may be unreadable, on a screen with reflections.
    const code = qrcode(0, "M");
    code.addData(text);
    code.make();
    const count = code.getModuleCount();
    let drawn = "";
    for (let row = 0; row < count; row += 1) {
      for (let column = 0; column < count; column += 1) {
        if (code.isDark(row, column)) drawn += `M${column + quiet} ${row + quiet}h1v1h-1z`;
      }
    }
    return { path: drawn, size: count + 2 * quiet };
  }, [text]);
  return (
    <svg className="qr-code" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <path className="qr-ground" d={`M0 0h${size}v${size}h-${size}z`} />
      <path className="qr-dots" d={path} />
    </svg>
  );
}

/** What has to be free around it (ISO/IEC 18004). */
const quiet = 4;
