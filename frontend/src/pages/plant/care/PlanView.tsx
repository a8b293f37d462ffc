import type { CareItem, CarePlan, CareRange, Plant } from "../../../api/types";
import { Icon, type IconName } from "../../../drawings/icons";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { Feedback } from "./Feedback";

type Changed = (plan: CarePlan) => void;

/** The texts are written in English, by the advisor or by a language model. */
export function PlanView({ plant, plan, onChanged }: { plant: Plant; plan: CarePlan; onChanged: Changed }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const source = t(`plant.care.source.${plan.source}`);
  return (
    <div className="care-plan">
      <p className="care-summary" lang="en">{plan.summary}</p>
      <p className="soft small">
        {t("plant.care.from", { source: plan.model ? `${source} (${plan.model})` : source, time: format.dateTime(plan.generated_at) })}
      </p>
      {plan.note && <p className="soft small" lang="en">{plan.note}</p>}
      <TextList title={t("plant.care.alerts")} texts={plan.alerts} className="care-alerts" icon="warning" />
      <div className="care-parts">
        <Part title={t("plant.care.watering")} icon="drop" item="watering" plant={plant} plan={plan} onChanged={onChanged}>
          <p lang="en">{plan.watering.frequency}</p>
          <p lang="en">{plan.watering.amount}</p>
          {plan.watering.next_date && (
            <p className="care-next"><Icon name="calendar" />
              {t("plant.care.next", { date: format.date(`${plan.watering.next_date}T12:00:00`) })}
            </p>
          )}
        </Part>
        {(["light", "humidity", "temperature"] as const).map((item) => (
          <Part key={item} title={t(`plant.care.${item}`)} icon={item === "light" ? "sun" : item === "humidity" ? "humidity" : "thermometer"}
            item={item} plant={plant} plan={plan} onChanged={onChanged}>
            <Range range={plan[item]} />
          </Part>
        ))}
      </div>
      <TextList title={t("plant.care.tips")} texts={plan.tips} icon="leaf" />
      <TextList title={t("plant.care.changes")} texts={plan.changes} icon="refresh" />
      <div className="care-whole">
        <span>{t("plant.care.whole")}</span>
        <Feedback item="plan" title={t("plant.care")} plant={plant} plan={plan} onChanged={onChanged} />
      </div>
      <Evidence plan={plan} />
    </div>
  );
}

function Part({
  title, icon, item, plant, plan, onChanged, children,
}: {
  title: string; icon: IconName; item: CareItem; plant: Plant; plan: CarePlan; onChanged: Changed; children: React.ReactNode;
}): JSX.Element {
  return (
    <section className="care-part" aria-label={title}>
      <h3><Icon name={icon} />{title}</h3>
      <div className="care-part-text">{children}</div>
      <Feedback item={item} title={title} plant={plant} plan={plan} onChanged={onChanged} />
    </section>
  );
}

function Range({ range }: { range: CareRange }): JSX.Element {
  const t = useT();
  return (
    <>
      <p lang="en">{range.recommendation}</p>
      <dl className="care-range small">
        <dt>{t("plant.care.current")}</dt><dd lang="en">{range.current}</dd>
        <dt>{t("plant.care.ideal")}</dt><dd lang="en">{range.ideal}</dd>
      </dl>
    </>
  );
}

function TextList({
  title, texts, icon, className = "",
}: { title: string; texts: readonly string[]; icon: IconName; className?: string }): JSX.Element | null {
  if (texts.length === 0) return null;
  return (
    <div className={`care-list ${className}`}>
      <h3>{title}</h3>
      <ul className="plain-list">
        {texts.map((text) => <li key={text}><Icon name={icon} /><span lang="en">{text}</span></li>)}
      </ul>
    </div>
  );
}

/** What the plan rests on. */
function Evidence({ plan }: { plan: CarePlan }): JSX.Element | null {
  const t = useT();
  const format = useFormat();
  if (plan.evidence.length === 0) return null;
  return (
    <details className="chart-more">
      <summary>{t("plant.care.evidence", { count: plan.evidence.length })}</summary>
      <ul className="care-evidence small">
        {plan.evidence.map((fact) => (
          <li key={fact.id}>
            <span lang="en">{fact.text ?? ""}</span>
            {fact.value !== null && fact.text === null && (
              <span>{format.metric(fact.metric ?? fact.id)}: {format.value(fact.value, fact.metric ?? "", fact.unit)}</span>
            )}
            {fact.time && <span className="soft"> · {format.dateTime(fact.time)}</span>}
          </li>
        ))}
      </ul>
    </details>
  );
}
