import { lazy, Suspense, useEffect, useRef, type ComponentType } from "react";
import { NotFound } from "../../app/App";
import { useSession } from "../../app/session";
import type { Role } from "../../api/types";
import { Icon, type IconName } from "../../drawings/icons";
import { useT } from "../../i18n";
import { LinkTabs } from "../../ui/Choice";
import { Waiting } from "../../ui/Notice";
import { PageHeader } from "../../ui/Page";

type TabName =
  | "account" | "users" | "alerts" | "channels" | "advisor" | "species" | "storage" | "system" | "audit";

interface Tab {
  name: TabName;
  icon: IconName;
  /** Who may see it at all, as the API has it. */
  role: Role;
  content: ComponentType;
}

// Each is loaded when it is first shown.
const tabs: readonly Tab[] = [
  { name: "account", icon: "user", role: "viewer", content: lazy(() => import("./account/AccountTab")) },
  { name: "users", icon: "key", role: "admin", content: lazy(() => import("./users/UsersTab")) },
  { name: "alerts", icon: "bell", role: "member", content: lazy(() => import("./alerts/AlertsTab")) },
  { name: "channels", icon: "send", role: "member", content: lazy(() => import("./channels/ChannelsTab")) },
  { name: "advisor", icon: "spark", role: "member", content: lazy(() => import("./advisor/AdvisorTab")) },
  { name: "species", icon: "leaf", role: "viewer", content: lazy(() => import("./species/SpeciesTab")) },
  { name: "storage", icon: "database", role: "viewer", content: lazy(() => import("./storage/StorageTab")) },
  { name: "system", icon: "pressure", role: "viewer", content: lazy(() => import("./system/SystemTab")) },
  { name: "audit", icon: "list", role: "admin", content: lazy(() => import("./audit/AuditTab")) },
];

const address = (name: TabName): string => name === "account" ? "/settings" : `/settings/${name}`;

/** `tab`: what stands after /settings/ in the address, or nothing. */
export default function SettingsPage({ tab }: { tab: string }): JSX.Element {
  const t = useT();
  const { may } = useSession();
  const allowed = tabs.filter(({ role }) => may(role));
  const current = allowed.find(({ name }) => name === (tab === "" ? "account" : tab));
  const navigation = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // On a phone the tabs are a strip that is wider than the screen. Only the strip is moved, not the page.
    const link = navigation.current?.querySelector<HTMLElement>("[aria-current]");
    const strip = link?.parentElement;
    if (link && strip) strip.scrollLeft = link.offsetLeft - (strip.clientWidth - link.offsetWidth) / 2;
  }, [current?.name]);
  if (!current) return <NotFound />;
  const Content = current.content;
  return (
    <div className="settings">
      <div className="settings-navigation" ref={navigation}>
        <LinkTabs label={t("nav.settings")} current={address(current.name)} tabs={allowed.map(({ name, icon }) => ({
          to: address(name), label: <><Icon name={icon} />{t(`settings.tab.${name}`)}</>,
        }))} />
      </div>
      <div className="settings-content">
        <PageHeader key={current.name} title={t(`settings.tab.${current.name}`)}
          lead={t(`settings.lead.${current.name}`)}
          titleOfTab={`${t(`settings.tab.${current.name}`)} · ${t("nav.settings")}`} />
        <Suspense fallback={<Waiting />}><Content /></Suspense>
      </div>
    </div>
  );
}
