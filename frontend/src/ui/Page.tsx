import { useEffect, useRef, type ReactNode } from "react";
import { useT } from "../i18n";

let lastPath: string | null = null;

/** Every page begins with this. Whoever comes from another page is taken to its heading, so that it is read out. */
export function PageHeader({
  title, children, lead, titleOfTab,
}: { title: string; children?: ReactNode; lead?: ReactNode; titleOfTab?: string }): JSX.Element {
  const t = useT();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${titleOfTab ?? title} · ${t("app.name")}`;
  }, [title, titleOfTab, t]);
  useEffect(() => {
    const path = window.location.pathname;
    if (lastPath !== null && lastPath !== path) {
      window.scrollTo(0, 0);
      heading.current?.focus({ preventScroll: true });
    }
    lastPath = path;
  }, []);
  return (
    <header className="page-head">
      <div>
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        {lead && <div className="page-lead">{lead}</div>}
      </div>
      {children && <div className="page-actions">{children}</div>}
    </header>
  );
}

/** A part of a page on paper of its own. */
export function Card({
  title, actions, children, className = "",
}: { title?: string; actions?: ReactNode; children: ReactNode; className?: string }): JSX.Element {
  return (
    <section className={`card ${className}`}>
      {(title !== undefined || actions) && (
        <div className="card-head">
          {title !== undefined && <h2>{title}</h2>}
          {actions && <div className="card-actions">{actions}</div>}
        </div>
      )}
      {children}
    </section>
  );
}
