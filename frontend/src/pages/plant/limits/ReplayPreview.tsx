import { useEffect, useRef, useState } from "react";
import { api } from "../../../api/client";
import type { Plant, Replay, Thresholds } from "../../../api/types";
import { useResource } from "../../../api/useResource";
import { Icon } from "../../../drawings/icons";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { SeverityBadge } from "../../../ui/Badges";
import { Segmented } from "../../../ui/Choice";
import { ProblemNotice } from "../../../ui/Notice";
import { metricIcon } from "../../../metrics";

type Days = "7" | "30";

/** More would be a list that nobody reads. */
const most = 30;

function useSettled(value: string | null, milliseconds: number): string | null {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}

/** How often the limits being edited would have fired lately. `thresholds` null: they are not right as they stand. */
export function ReplayPreview({
  plant, thresholds, isChanged,
}: { plant: Plant; thresholds: Thresholds | null; isChanged: boolean }): JSX.Element {
  const t = useT();
  const [days, setDays] = useState<Days>("7");
  const wanted = useSettled(thresholds === null ? null : JSON.stringify({ thresholds, days: Number(days) }), 350);
  const tried = useReplay(plant.id, wanted);
  const now = useReplay(plant.id, isChanged ? JSON.stringify({ thresholds: plant.thresholds, days: Number(days) }) : null);
  const isCurrent = wanted !== null && tried.of === wanted;
  return (
    <section className="replay" aria-label={t("plant.replay")}>
      <div className="replay-head">
        <h3>{t("plant.replay")}</h3>
        <Segmented label={t("plant.replay.span")} isLabelHidden value={days} onValue={setDays}
          options={(["7", "30"] as const).map((value) => ({ value, label: t("plant.replay.days", { count: Number(value) }) }))} />
      </div>
      {tried.error && <ProblemNotice error={tried.error} onRetry={tried.reload} />}
      <div aria-live="polite" aria-busy={!isCurrent || undefined} className={isCurrent ? undefined : "replay-old"}>
        {thresholds === null ? <p className="soft">{t("plant.replay.wrong")}</p>
          : tried.value ? <Outcome replay={tried.value} now={isChanged ? now.value : undefined} />
          : !tried.error && <p className="soft">{t("plant.replay.asking")}</p>}
      </div>
    </section>
  );
}

function useReplay(plant: string, wanted: string | null): {
  value: Replay | undefined; of: string | null; error: ReturnType<typeof useResource>["error"]; reload: () => void;
} {
  const resource = useResource<{ replay: Replay; of: string }>(wanted === null ? null : `replay ${plant} ${wanted}`, async (signal) => ({
    replay: await api<Replay>("POST", `/plants/${plant}/thresholds/replay`, { body: JSON.parse(wanted ?? "{}") as unknown, signal }),
    of: wanted ?? "",
  }));
  // The answer before stays until the next one has come.
  const last = useRef<{ replay: Replay; of: string }>();
  if (resource.value) last.current = resource.value;
  return { value: last.current?.replay, of: last.current?.of ?? null, error: resource.error, reload: resource.reload };
}

function Outcome({ replay, now }: { replay: Replay; now: Replay | undefined }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const metrics = Object.entries(replay.by_metric).sort((a, b) => b[1] - a[1]);
  const episodes = [...replay.episodes].sort((a, b) => Date.parse(b.from) - Date.parse(a.from));
  return (
    <>
      <p className="replay-count">
        <Icon name={replay.would_have_fired === 0 ? "check" : "bell"} />
        <span>
          <strong>
            {replay.would_have_fired === 0 ? t("plant.replay.never", { days: replay.days })
              : t("plant.replay.fired", { count: replay.would_have_fired, days: replay.days })}
          </strong>
          {now && now.days === replay.days && (
            <span className="soft"> {t("plant.replay.before", { count: now.would_have_fired })}</span>
          )}
        </span>
      </p>
      {metrics.length > 0 && (
        <ul className="replay-metrics">
          {metrics.map(([metric, count]) => (
            <li key={metric}><Icon name={metricIcon(metric)} />{format.metric(metric)}: {t("plant.replay.times", { count })}</li>
          ))}
        </ul>
      )}
      {episodes.length > 0 && (
        <details className="chart-more">
          <summary>{t("plant.replay.when")}</summary>
          <ul className="plain-list replay-episodes">
            {episodes.slice(0, most).map((episode) => (
              <li key={`${episode.metric} ${episode.direction} ${episode.from}`}>
                <SeverityBadge severity={episode.severity} />
                <span>
                  {t(episode.direction === "min" ? "plant.alert.too_low" : "plant.alert.too_high", { metric: format.metric(episode.metric) })}
                  <span className="soft small"> {format.dateTime(episode.from)} – {episode.to ? format.dateTime(episode.to) : t("plant.until_now")}</span>
                </span>
              </li>
            ))}
          </ul>
          {episodes.length > most && <p className="soft small">{t("plant.replay.more", { count: episodes.length - most })}</p>}
        </details>
      )}
    </>
  );
}
