import { useState } from "react";
import { api, everything } from "../../../api/client";
import { useResource } from "../../../api/useResource";
import type { ApiToken } from "../../../api/types";
import { useFormat, useNow } from "../../../format";
import { useT } from "../../../i18n";
import { Badge } from "../../../ui/Badges";
import { Button } from "../../../ui/Button";
import { ConfirmDialog } from "../../../ui/Dialog";
import { Loaded } from "../../../ui/Notice";
import { Card } from "../../../ui/Page";
import { toast } from "../../../ui/Toasts";
import { useSubmission } from "../../../ui/form";
import { TokenDialog } from "./TokenDialog";

/** API tokens of whoever is signed in. */
export function TokensCard(): JSX.Element {
  const t = useT();
  const tokens = useResource("tokens", (signal) => everything<"tokens", ApiToken>("/tokens", "tokens", {}, signal));
  const [isMaking, setMaking] = useState(false);
  const [ending, setEnding] = useState<ApiToken | null>(null);
  return (
    <Card title={t("settings.tokens")}
      actions={<Button icon="plus" onClick={() => setMaking(true)}>{t("settings.tokens.make")}</Button>}>
      <p className="settings-explanation">{t("settings.tokens.text")}</p>
      <Loaded resource={tokens}>
        {(list) => list.length === 0
          ? <p className="soft">{t("settings.tokens.none")}</p>
          : (
            <ul className="settings-list">
              {list.map((token) => <TokenRow key={token.id} token={token} onEnd={() => setEnding(token)} />)}
            </ul>
          )}
      </Loaded>
      {isMaking && <TokenDialog onMade={tokens.reload} onClose={() => setMaking(false)} />}
      {ending && (
        <EndDialog token={ending} onClose={() => setEnding(null)} onEnded={() => {
          setEnding(null);
          tokens.reload();
        }} />
      )}
    </Card>
  );
}

function TokenRow({ token, onEnd }: { token: ApiToken; onEnd: () => void }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const isOver = token.expires_at !== null && Date.parse(token.expires_at) <= now;
  return (
    <li>
      <div className="settings-item">
        <h3>{token.name} <Badge tone="neutral" icon="key">{t(`role.${token.role}`)}</Badge></h3>
        <p className="small soft">
          {token.expires_at === null ? t("settings.tokens.never_expires")
            : isOver ? t("settings.tokens.expired", { date: format.date(token.expires_at) })
            : t("settings.tokens.expires", { date: format.date(token.expires_at) })}
          {" · "}
          {token.last_used_at === null ? t("settings.tokens.never_used")
            : t("settings.tokens.used", { time: format.relative(token.last_used_at, now) })}
        </p>
      </div>
      <Button kind="danger" aria-label={t("settings.tokens.end_named", { name: token.name })} onClick={onEnd}>
        {t("settings.tokens.end")}
      </Button>
    </li>
  );
}

function EndDialog({ token, onEnded, onClose }: { token: ApiToken; onEnded: () => void; onClose: () => void }): JSX.Element {
  const t = useT();
  const submission = useSubmission();
  async function end(): Promise<void> {
    if (!await submission.run(() => api("DELETE", `/tokens/${token.id}`))) return;
    toast(t("settings.tokens.ended", { name: token.name }));
    onEnded();
  }
  return (
    <ConfirmDialog title={t("settings.tokens.end_title", { name: token.name })} text={t("settings.tokens.end_text")}
      action={t("settings.tokens.end")} isBusy={submission.isBusy} problem={submission.problem}
      onConfirm={() => void end()} onClose={onClose} />
  );
}
