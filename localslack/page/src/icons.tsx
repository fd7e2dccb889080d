// Icons. All are decorative: the text beside them says the same.
import type { ReactNode } from "react";

function icon(paths: ReactNode, size = 20) {
  return () => (
    <svg
      viewBox="0 0 20 20"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {paths}
    </svg>
  );
}

export const Send = icon(<path d="M3.5 16.5 17 10 3.5 3.5l1.8 6.5zM5.3 10H10" />, 18);
export const Bolt = icon(<path d="M11.5 2.5 4.5 11.5h4.8l-.8 6 7-9h-4.8z" />, 16);
export const Close = icon(<path d="m5 5 10 10M15 5 5 15" />, 18);
export const Reply = icon(
  <path d="M4 4.5h12a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H9l-4 3v-3H4a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1zM6.5 8h7M6.5 10.7h4" />,
  18,
);
export const Dots = icon(<path d="M10 4.5h.01M10 10h.01M10 15.5h.01" strokeWidth="2.6" />, 18);
export const More = icon(<path d="M4.5 10h.01M10 10h.01M15.5 10h.01" strokeWidth="2.6" />, 18);
export const Hash = icon(
  <path d="M8 3.5 6.5 16.5M13.5 3.5 12 16.5M3.8 7.5h12.8M3.4 12.5h12.8" />,
  16,
);
export const Eye = icon(
  <>
    <path d="M2 10s3-5.5 8-5.5S18 10 18 10s-3 5.5-8 5.5S2 10 2 10z" />
    <circle cx="10" cy="10" r="2.2" />
  </>,
  14,
);
export const Down = icon(<path d="M10 4v12M5 11l5 5 5-5" />, 16);
export const Out = icon(
  <path d="M8 5H5a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1v-3M11.5 4H16v4.5M16 4l-7 7" />,
  14,
);

// The bot's logo, the same as index.html's icon.
export const Logo = () => (
  <svg
    viewBox="0 0 32 32"
    fill="none"
    stroke="#fff"
    strokeWidth="3"
    strokeLinecap="round"
    aria-hidden="true"
  >
    <path d="M9 10h9a5 5 0 0 1 0 10h-4" />
    <circle cx="10" cy="20" r="3" fill="#7df0c0" stroke="none" />
  </svg>
);
