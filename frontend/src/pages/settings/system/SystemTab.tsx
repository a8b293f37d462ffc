import { useSession } from "../../../app/session";
import { HealthCard } from "./HealthCard";
import { RejectsCard } from "./RejectsCard";

/** How the installation itself is. */
export default function SystemTab(): JSX.Element {
  const { may } = useSession();
  return (
    <>
      <HealthCard />
      {may("admin") && <RejectsCard />}
    </>
  );
}
