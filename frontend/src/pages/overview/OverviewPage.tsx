import { lazy, Suspense, useDeferredValue, useMemo, useState } from "react";
import { setQuery, useQuery } from "../../app/router";
import { useSession } from "../../app/session";
import type { Alert, Plant } from "../../api/types";
import { useLanguage, useT, type Translate } from "../../i18n";
import { useLive } from "../../live/hooks";
import { Button } from "../../ui/Button";
import { Empty, Waiting } from "../../ui/Notice";
import { PageHeader } from "../../ui/Page";
import { useGuide } from "../welcome/guide";
import { AddPlantDialog } from "./AddPlantDialog";
import { PlantCard, PlantRow } from "./PlantCard";
import { Toolbar } from "./Toolbar";
import { matching, readArrangement, sorted } from "./arrange";
import { useTrails } from "./useTrails";

const WelcomeGuide = lazy(() => import("../welcome/WelcomeGuide"));

/** How the plants are, all at a glance; while there is nothing to look at, how to begin. */
export default function OverviewPage(): JSX.Element {
  const t = useT();
  const { phase, plants, alerts } = useLive();
  const guide = useGuide();
  if (phase !== "ready") {
    return <><PageHeader title={t("nav.overview")} />{phase === "loading" && <Waiting />}</>;
  }
  if (guide.isOpen) return <Suspense fallback={<Waiting />}><WelcomeGuide onLeave={guide.leave} /></Suspense>;
  return <Overview plants={plants} alerts={alerts} onGuide={guide.isWanted ? guide.open : null} />;
}

function Overview({
  plants, alerts, onGuide,
}: { plants: readonly Plant[]; alerts: readonly Alert[]; onGuide: (() => void) | null }): JSX.Element {
  const t = useT();
  const { may } = useSession();
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <PageHeader title={t("nav.overview")} lead={summary(plants, t)}>
        {onGuide && <Button icon="info" onClick={onGuide}>{t("overview.guide")}</Button>}
        {may("member") && <Button kind="primary" icon="plus" onClick={() => setAdding(true)}>{t("overview.add")}</Button>}
      </PageHeader>
      {plants.length === 0 ? <Empty title={t("overview.none")}><p>{t("overview.none_text")}</p></Empty>
        : <Plants plants={plants} alerts={alerts} />}
      {isAdding && (
        <AddPlantDialog onClose={() => setAdding(false)} onAdded={() => {
          setAdding(false);
          // So that it is among those shown.
          setQuery({ q: null, status: null, room: null });
        }} />
      )}
    </>
  );
}

function Plants({ plants, alerts }: { plants: readonly Plant[]; alerts: readonly Alert[] }): JSX.Element {
  const t = useT();
  const language = useLanguage();
  const query = useQuery().toString();
  const chosen = useMemo(() => readArrangement(new URLSearchParams(query)), [query]);
  // Whoever types does not wait for hundreds of cards.
  const arrangement = useDeferredValue(chosen);
  const trails = useTrails(plants);
  const alertCounts = useMemo(() => {
    const counts = new Map<string, number>();
    for (const { plant_id, state } of alerts) {
      if (plant_id !== null && state === "firing") counts.set(plant_id, (counts.get(plant_id) ?? 0) + 1);
    }
    return counts;
  }, [alerts]);
  const found = useMemo(() => matching(plants, arrangement), [plants, arrangement]);
  const shown = useMemo(() => {
    const wanted = found.filter((plant) => arrangement.status === null || plant.status === arrangement.status);
    return sorted(wanted, arrangement.sort, language);
  }, [found, arrangement, language]);
  const isFiltered = shown.length < plants.length;
  const isList = arrangement.view === "list";
  const One = isList ? PlantRow : PlantCard;
  return (
    <>
      <Toolbar arrangement={chosen} plants={plants} matching={found} />
      <p className={isFiltered ? "plant-count" : "visually-hidden"} role="status">
        {isFiltered ? t("overview.shown", { shown: shown.length, count: plants.length }) : ""}
      </p>
      {shown.length === 0 && (
        <Empty title={t("overview.nothing_found")}>
          <Button icon="close" onClick={() => setQuery({ q: null, status: null, room: null })}>{t("overview.show_all")}</Button>
        </Empty>
      )}
      <ul className={isList ? "plant-list" : "plant-cards"}>
        {shown.map((plant) => (
          <li key={plant.id}>
            <One plant={plant} trail={trails.get(plant.id) ?? []} alertCount={alertCounts.get(plant.id) ?? 0} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** "6 plants, 1 needs care". */
function summary(plants: readonly Plant[], t: Translate): string {
  const count = (...of: Plant["status"][]): number => plants.filter((plant) => of.includes(plant.status)).length;
  const care = count("warning", "critical");
  const silent = count("stale");
  const parts = [t("overview.count", { count: plants.length })];
  if (care > 0) parts.push(t("overview.care", { count: care }));
  if (silent > 0) parts.push(t("overview.silent", { count: silent }));
  if (plants.length > 0 && count("ok") === plants.length) parts.push(t("overview.all_well"));
  return parts.join(", ");
}
