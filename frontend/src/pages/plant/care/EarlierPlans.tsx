import { useState } from "react";
import { api } from "../../../api/client";
import type { CarePlanSummary, Plant } from "../../../api/types";
import { useResource } from "../../../api/useResource";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { Loaded } from "../../../ui/Notice";

/** Plans before the newest; loaded when somebody wants to see them. */
export function EarlierPlans({ plant, newest }: { plant: Plant; newest: string }): JSX.Element {
  const t = useT();
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="chart-more" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("plant.care.earlier")}</summary>
      {isOpen && <Plans plant={plant} newest={newest} />}
    </details>
  );
}

function Plans({ plant, newest }: { plant: Plant; newest: string }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const resource = useResource<{ care_plans: CarePlanSummary[] }>(
    `care-plans ${plant.id} ${newest}`,
    (signal) => api("GET", `/plants/${plant.id}/care-plans`, { query: { limit: 20 }, signal }),
  );
  return (
    <Loaded resource={resource}>
      {({ care_plans: plans }) => {
        const earlier = plans.filter((plan) => plan.id !== newest);
        if (earlier.length === 0) return <p className="soft">{t("plant.care.no_earlier")}</p>;
        return (
          <ul className="plain-list care-earlier">
            {earlier.map((plan) => (
              <li key={plan.id}>
                <strong>{format.dateTime(plan.generated_at)}</strong>
                <span className="soft small"> · {t(`plant.care.source.${plan.source}`)}</span>
                <p lang="en">{plan.summary}</p>
                {plan.feedback.length > 0 && (
                  <p className="soft small">
                    {plan.feedback.map((one) => `${t(one.item === "plan" ? "plant.care.whole" : `plant.care.${one.item}`)}: ${t(`plant.care.${one.feedback}`)}`).join(" · ")}
                  </p>
                )}
              </li>
            ))}
          </ul>
        );
      }}
    </Loaded>
  );
}
