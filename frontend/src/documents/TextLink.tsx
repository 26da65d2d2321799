/** A link within what people write: to a document here on this page, to anywhere else in another one. */
import type { ReactNode } from "react";
import { Link } from "wouter";

/** A path of our own for an address that leads to a document here; else null. */
export function ownPath(href: string, origin = window.location.origin): string | null {
  const path = href.startsWith(`${origin}/`) ? href.slice(origin.length) : href;
  return /^\/documents\/[\w-]+(?:\?[\w=&]*)?$/.test(path) ? path : null;
}

export function TextLink({ href, className, children }: { href: string; className?: string; children: ReactNode }) {
  const own = ownPath(href);
  if (own !== null) {
    return (
      <Link href={own} className={className}>
        {children}
      </Link>
    );
  }
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" className={className}>
      {children}
    </a>
  );
}
