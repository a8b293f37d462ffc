import { useEffect, useState } from "react";
import { api, everything } from "../../api/client";
import type { EnrollmentToken } from "../../api/types";
import { useResource } from "../../api/useResource";
import { useFormat, useNow } from "../../format";
import { useT } from "../../i18n";
import { useDevices } from "../../live/hooks";
import { Badge } from "../../ui/Badges";
import { Button } from "../../ui/Button";
import { ConfirmDialog } from "../../ui/Dialog";
import { Loaded } from "../../ui/Notice";
import { Card } from "../../ui/Page";
import { toast } from "../../ui/Toasts";
import { useSubmission } from "../../ui/form";

/** Tokens that let devices in. `changed` rises when one was made. */
export function EnrollmentTokens({ changed }: { changed: number }): JSX.Element {
  const t = useT();
  const tokens = useResource("enrollment-tokens", (signal) =>
    everything<"enrollment_tokens", EnrollmentToken>("/enrollment-tokens", "enrollment_tokens", {}, signal));
  // A device that came in has used one.
  const count = useDevices().length;
  const { reload } = tokens;
  const [seen, setSeen] = useState({ changed, count });
  useEffect(() => {
    if (seen.changed === changed && seen.count === count) return;
    setSeen({ changed, count });
    reload();
  }, [changed, count, seen, reload]);
  return (
    <Card title={t("devices.tokens")} className="enrollment-tokens">
      <Loaded resource={tokens}>
        {(list) => list.length === 0 ? <p className="soft">{t("devices.no_tokens")}</p> : (
          <ul>{[...list].reverse().map((token) => <Token key={token.id} token={token} onEnded={reload} />)}</ul>
        )}
      </Loaded>
    </Card>
  );
}

function Token({ token, onEnded }: { token: EnrollmentToken; onEnded: () => void }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const submission = useSubmission();
  const [isEnding, setEnding] = useState(false);
  const hasExpired = Date.parse(token.expires_at) <= now;
  const isUsedUp = token.uses >= token.max_uses;

  async function end(): Promise<void> {
    const isDone = await submission.run(() => api("DELETE", `/enrollment-tokens/${token.id}`));
    if (!isDone) return;
    setEnding(false);
    toast(t("devices.token_ended", { label: token.label }));
    onEnded();
  }
  return (
    <li>
      <div>
        <strong>{token.label}</strong>
        <p className="soft small">
          {t("devices.token_used", { uses: token.uses, max: token.max_uses })}
          {" · "}
          <time dateTime={token.expires_at} title={format.dateTime(token.expires_at)}>
            {t(hasExpired ? "devices.token_expired" : "devices.token_expires", {
              time: format.relative(token.expires_at, now),
            })}
          </time>
        </p>
      </div>
      <div>
        {hasExpired || isUsedUp
          ? <Badge tone="neutral" icon="clock">{t(isUsedUp ? "devices.token_used_up" : "devices.token_over")}</Badge>
          : <Badge tone="ok" icon="check">{t("devices.token_good")}</Badge>}
        <Button kind="quiet" aria-label={t("devices.token_end_label", { label: token.label })} onClick={() => setEnding(true)}>
          {t("devices.token_end")}
        </Button>
      </div>
      {isEnding && (
        <ConfirmDialog title={t("devices.token_end_label", { label: token.label })} text={t("devices.token_end_text")}
          action={t("devices.token_end")} isBusy={submission.isBusy} problem={submission.problem}
          onConfirm={() => void end()}
          onClose={() => {
            submission.clear();
            setEnding(false);
          }} />
      )}
    </li>
  );
}
