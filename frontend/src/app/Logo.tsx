/** Dashify's mark: three dashes, as lines of a conversation, and someone who is there. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" role="img" aria-label="Dashify">
      <rect width="32" height="32" rx="9" fill="#1f6b58" />
      <rect x="7" y="9" width="11" height="4" rx="2" fill="#fff" />
      <rect x="7" y="15" width="18" height="4" rx="2" fill="#fff" />
      <rect x="7" y="21" width="7" height="4" rx="2" fill="#fff" />
      <circle cx="23" cy="11" r="3" fill="#ffb48a" />
    </svg>
  );
}
