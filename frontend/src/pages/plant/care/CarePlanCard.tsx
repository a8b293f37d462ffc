import { useState } from "react";
import { api } from "../../../api/client";
import type { CarePlan, Page, Plant } from "../../../api/types";
import { useResource } from "../../../api/useResource";
import { useSession } from "../../../app/session";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { useSubmission } from "../../../ui/form";
import { FormProblem, Loaded } from "../../../ui/Notice";
import { Card } from "../../../ui/Page";
import { toast } from "../../../ui/Toasts";
import { EarlierPlans } from "./EarlierPlans";
import { PlanView } from "./PlanView";

/** What to do for this plant: the newest plan, what it rests on, and what became of it. */
export function CarePlanCard({ plant }: { plant: Plant }): JSX.Element {
  const t = useT();
  const session = useSession();
  const submission = useSubmission();
  const [asked, setAsked] = useState(0);
  // Whether there is one is asked first: no plan yet is no failure.
  const newest = useResource<{ plan: CarePlan | null }>(`care-plan ${plant.id}`, async (signal) => {
    const { total } = await api<Page>("GET", `/plants/${plant.id}/care-plans`, { query: { limit: 1 }, signal });
    return { plan: total === 0 ? null : await api<CarePlan>("GET", `/plants/${plant.id}/care-plan`, { signal }) };
  });
  const plan = newest.value?.plan ?? null;

  async function ask(): Promise<void> {
    await submission.run(async () => {
      const answer = await api<CarePlan>("POST", `/plants/${plant.id}/analyze`, { body: {} });
      newest.set({ plan: answer });
      setAsked((count) => count + 1);
      toast(t(answer.cached ? "plant.care.unchanged" : "plant.care.new"));
    });
  }
  return (
    <Card title={t("plant.care")} className="care-card"
      actions={session.may("member") && plan && (
        <Button icon="spark" busy={submission.isBusy} onClick={() => void ask()}>{t("plant.care.ask")}</Button>
      )}>
      <FormProblem problem={submission.problem} />
      {submission.isBusy && <p className="notice notice-info" role="status">{t("plant.care.busy")}</p>}
      <Loaded resource={newest}>
        {(value) => value.plan
          ? <PlanView plant={plant} plan={value.plan} onChanged={(changed) => newest.set({ plan: changed })} />
          : (
            <div className="care-none">
              <p className="soft">{t(session.may("member") ? "plant.care.none" : "plant.care.none_viewer")}</p>
              {session.may("member") && (
                <Button kind="primary" icon="spark" busy={submission.isBusy} onClick={() => void ask()}>
                  {t("plant.care.first")}
                </Button>
              )}
            </div>
          )}
      </Loaded>
      {plan && <EarlierPlans key={`${asked} ${plan.id}`} plant={plant} newest={plan.id} />}
    </Card>
  );
}
