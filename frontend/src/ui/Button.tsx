import type { ButtonHTMLAttributes } from "react";
import { useState } from "react";
import { Icon, type IconName } from "../drawings/icons";
import { useT } from "../i18n";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "primary" | "plain" | "quiet" | "danger";
  icon?: IconName;
  /** Under way: cannot be pressed again, and says so. */
  busy?: boolean;
}

export function Button({ kind = "plain", icon, busy = false, disabled, children, ...rest }: Props): JSX.Element {
  const t = useT();
  return (
    <button type="button" {...rest} className={`button button-${kind} ${rest.className ?? ""}`}
      disabled={disabled === true || busy} aria-busy={busy || undefined}>
      {icon && <Icon name={icon} />}
      <span>{busy ? t("action.working") : children}</span>
    </button>
  );
}

/** Only a sign; `label` is what it says to those who do not see it, and as a hint. */
export function IconButton({
  icon, label, ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { icon: IconName; label: string }): JSX.Element {
  return (
    <button type="button" {...rest} className={`icon-button ${rest.className ?? ""}`} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}

export function CopyButton({ text, label }: { text: string; label?: string }): JSX.Element {
  const t = useT();
  const [isCopied, setCopied] = useState(false);
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Over plain HTTP there is no clipboard; the old way works everywhere.
      const area = document.createElement("textarea");
      area.value = text;
      // Within an open dialog, or it could not be selected.
      const host = document.querySelector("dialog[open]") ?? document.body;
      host.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  }
  return (
    <Button icon={isCopied ? "check" : "copy"} onClick={() => void copy()} aria-live="polite">
      {isCopied ? t("action.copied") : (label ?? t("action.copy"))}
    </Button>
  );
}
