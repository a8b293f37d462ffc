import { useState } from "react";
import { ApiError, api } from "../../../api/client";
import type { Channel } from "../../../api/types";
import { useFormat, useNow } from "../../../format";
import { useT } from "../../../i18n";
import { usePlants } from "../../../live/hooks";
import { Badge } from "../../../ui/Badges";
import { Button } from "../../../ui/Button";
import { FormProblem, Notice } from "../../../ui/Notice";
import { toast } from "../../../ui/Toasts";
import { problemText, useSubmission } from "../../../ui/form";

interface Props {
  channel: Channel;
  onChanged: (channel: Channel) => void;
  onTested: () => void;
  onEdit: () => void;
  onDelete: () => void;
}

export function ChannelCard({ channel, onChanged, onTested, onEdit, onDelete }: Props): JSX.Element {
  const t = useT();
  const test = useTest(channel, onTested);
  const switching = useSubmission();
  const { delivery, enabled, name } = channel;
  const isFailing = delivery.last_error !== null &&
    (delivery.last_delivered_at === null || (delivery.last_error_at ?? "") > delivery.last_delivered_at);

  async function toggle(): Promise<void> {
    await switching.run(async () => {
      onChanged(await api<Channel>("PUT", `/channels/${channel.id}`, { body: { enabled: !enabled } }));
      toast(t(enabled ? "settings.channels.is_off" : "settings.channels.is_on", { name }));
    });
  }

  return (
    <section className="card" aria-label={name}>
      <div className="card-head">
        <h2>{name}</h2>
        {!enabled ? <Badge tone="neutral" icon="bell-off">{t("settings.channels.off")}</Badge>
          : isFailing ? <Badge tone="critical" icon="warning">{t("settings.channels.failing")}</Badge>
          : <Badge tone="ok" icon="check">{t("settings.channels.on")}</Badge>}
      </div>
      <ChannelFacts channel={channel} />
      {isFailing && <Notice tone="critical"><LastError channel={channel} /></Notice>}
      {test.outcome && (
        <Notice tone={test.outcome.isFine ? "ok" : "critical"} isUrgent={!test.outcome.isFine}>
          <span role={test.outcome.isFine ? "status" : undefined}>{test.outcome.text}</span>
        </Notice>
      )}
      <FormProblem problem={switching.problem} />
      <div className="card-actions">
        <Button icon="send" busy={test.isBusy} aria-label={t("settings.channels.test_named", { name })}
          onClick={test.run}>
          {t("settings.channels.test")}
        </Button>
        <Button icon="pencil" aria-label={t("settings.channels.edit_named", { name })}
          onClick={onEdit}>{t("action.edit")}</Button>
        <Button icon={enabled ? "bell-off" : "bell"} busy={switching.isBusy} onClick={() => void toggle()}
          aria-label={t(enabled ? "settings.channels.turn_off_named" : "settings.channels.turn_on_named", { name })}>
          {t(enabled ? "settings.channels.turn_off" : "settings.channels.turn_on")}
        </Button>
        <Button kind="danger" icon="trash" aria-label={t("settings.channels.delete_named", { name })}
          onClick={onDelete}>
          {t("action.delete")}
        </Button>
      </div>
    </section>
  );
}

function ChannelFacts({ channel }: { channel: Channel }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const plants = usePlants();
  const { delivery, quiet_hours: quiet } = channel;
  const names = channel.plant_ids?.map((id) => plants.find((plant) => plant.id === id)?.name ?? t("settings.channels.gone_plant"));
  return (
    <dl className="facts settings-facts">
      <dt>{t("settings.channels.goes_to")}</dt>
      <dd>{t(`settings.channels.kind.${channel.kind}`)}, <code>{channel.url}</code></dd>
      <dt>{t("settings.channels.told")}</dt>
      <dd>
        {t(`settings.channels.severity.${channel.min_severity}`)}
        {", "}
        {names === undefined && channel.rooms === null ? t("settings.channels.scope_all")
          : t("settings.channels.scope_of", { names: [...(channel.rooms ?? []), ...(names ?? [])].join(", ") })}
      </dd>
      <dt>{t("settings.quiet")}</dt>
      <dd>
        {quiet ? t("settings.channels.quiet_own", { from: quiet.from, to: quiet.to, time_zone: quiet.time_zone })
          : t(channel.inherits_quiet_hours ? "settings.channels.quiet_inherited" : "settings.channels.quiet_none")}
      </dd>
      {channel.kind === "webhook" && (
        <>
          <dt>{t("settings.channels.signed")}</dt>
          <dd>{channel.secret === null ? t("action.no") : <>{t("settings.channels.signed_with")} <code>{channel.secret}</code></>}</dd>
        </>
      )}
      <dt>{t("settings.channels.delivery")}</dt>
      <dd>
        {delivery.last_delivered_at === null ? t("settings.channels.never_delivered")
          : t("settings.channels.delivered", { time: format.relative(delivery.last_delivered_at, now) })}
        {delivery.waiting > 0 && `, ${t("settings.channels.waiting", { count: delivery.waiting })}`}
        {delivery.failed > 0 && `, ${t("settings.channels.failed", { count: delivery.failed })}`}
      </dd>
    </dl>
  );
}

function LastError({ channel }: { channel: Channel }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const { last_error: error, last_error_at: at } = channel.delivery;
  return <>{t("settings.channels.last_error", { time: at === null ? "" : format.dateTime(at), error: error ?? "" })}</>;
}

interface Test {
  isBusy: boolean;
  outcome: { isFine: boolean; text: string } | null;
  run: () => void;
}

function useTest(channel: Channel, onTested: () => void): Test {
  const t = useT();
  const format = useFormat();
  const [isBusy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Test["outcome"]>(null);
  async function run(): Promise<void> {
    setBusy(true);
    setOutcome(null);
    try {
      const answer = await api<{ milliseconds: number }>("POST", `/channels/${channel.id}/test`);
      setOutcome({ isFine: true, text: t("settings.channels.arrived", { milliseconds: format.number(answer.milliseconds) }) });
    } catch (error) {
      // The other side's refusal, in the server's words.
      const reason = error instanceof ApiError && error.status === 502 && error.problem ? error.problem.detail : null;
      setOutcome({ isFine: false, text: reason === null ? problemText(error, t) : t("settings.channels.not_arrived", { reason }) });
    } finally {
      setBusy(false);
    }
    onTested();
  }
  return { isBusy, outcome, run: () => void run() };
}
