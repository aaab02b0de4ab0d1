/** Icons: small drawings of 16 by 16, in the colour of the text around them. */

const PATHS = {
  map: 'M3 4.5a1.5 1.5 0 1 0 0 .01M13 3.5a1.5 1.5 0 1 0 0 .01M8 12.5a1.5 1.5 0 1 0 0 .01M4.4 4.8l7-.9M4 5.9l3.2 5M12.3 4.9L8.9 11',
  journeys: 'M2.5 3h4v3.4h-4zM9.5 9.6h4V13h-4zM4.5 6.4v3.4a1.5 1.5 0 0 0 1.5 1.5h3.3M6.5 4.7h5.2',
  author: 'M9.9 3.2l2.9 2.9M3 13l.6-3.1 7.2-7.2a1 1 0 0 1 1.5 0l1 1a1 1 0 0 1 0 1.5L6.1 12.4z',
  people: 'M6 7.5a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8M1.8 13c.3-2.3 2-3.6 4.2-3.6s3.9 1.3 4.2 3.6M10.5 3a2.3 2.3 0 0 1 0 4.4M12 9.7c1.3.5 2.1 1.6 2.3 3.3',
  funnel: 'M2.5 3h11L9.6 8.2v4.3L6.4 13V8.2z',
  retention: 'M3 3h2.5v2.5H3zM3 6.8h2.5v2.5H3zM3 10.6h2.5v2.5H3zM6.8 3h2.5v2.5H6.8zM6.8 6.8h2.5v2.5H6.8zM10.6 3h2.5v2.5h-2.5z',
  friction: 'M8 2.2l6 10.9H2zM8 6.3v3.2M8 11.3v.2',
  attribution: 'M8 2.5a5.5 5.5 0 1 0 5.5 5.5H8zM10 2.2A5.6 5.6 0 0 1 13.8 6H10z',
  experiments: 'M6.2 2.5h3.6M6.9 2.5v4L3.2 12a1 1 0 0 0 .8 1.5h8a1 1 0 0 0 .8-1.5L9.1 6.5v-4M5 10h6',
  operate: 'M1.8 8.5h2.6L6 4l3.2 8.5 2-5.2h3',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9M10.3 10.3l3.2 3.2',
  sun: 'M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9',
  moon: 'M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z',
  system: 'M2.2 3h11.6v7.8H2.2zM6 13.3h4M8 10.8v2.5',
  out: 'M6.5 13H3.2V3h3.3M10 5l3 3-3 3M13 8H6.2',
  close: 'M4 4l8 8M12 4l-8 8',
  down: 'M4 6l4 4 4-4',
  right: 'M6 4l4 4-4 4',
  left: 'M10 4L6 8l4 4',
  up: 'M4 10l4-4 4 4',
  download: 'M8 2.5v7.2M5 7l3 3 3-3M2.8 13h10.4',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  check: 'M3 8.5l3.2 3.2L13 4.8',
  play: 'M4.8 3l7.4 5-7.4 5z',
  pause: 'M5 3.2v9.6M11 3.2v9.6',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  clock: 'M8 13.8a5.8 5.8 0 1 0 0-11.6 5.8 5.8 0 0 0 0 11.6M8 4.6V8l2.2 1.5',
  table: 'M2.3 3h11.4v10H2.3zM2.3 6.3h11.4M2.3 9.6h11.4M6.2 6.3V13',
  chart: 'M2.5 13.2h11M4.2 11V8M8 11V3.5M11.8 11V6',
  warn: 'M8 2.2l6 10.9H2zM8 6.3v3.2M8 11.3v.2',
  info: 'M8 13.8a5.8 5.8 0 1 0 0-11.6 5.8 5.8 0 0 0 0 11.6M8 7.4v3.4M8 5.2v.2',
  user: 'M8 8a2.7 2.7 0 1 0 0-5.4A2.7 2.7 0 0 0 8 8M2.8 13.6c.4-2.6 2.5-4 5.2-4s4.8 1.4 5.2 4',
  loop: 'M12.8 6.5A5 5 0 0 0 3.6 5.3M3.2 2.6v3h3M3.2 9.5a5 5 0 0 0 9.2 1.2M12.8 13.4v-3h-3',
  more: 'M3.5 8v.01M8 8v.01M12.5 8v.01',
  trash: 'M2.8 4.2h10.4M6 4.2V2.6h4v1.6M4 4.2l.7 9.2h6.6l.7-9.2',
  undo: 'M5.5 3L2.7 5.8l2.8 2.8M3 5.8h6.2a3.7 3.7 0 0 1 0 7.4H6',
  send: 'M13.6 2.4L7 9M13.6 2.4L9.5 13.6 7 9 2.4 6.5z',
  branch: 'M4.5 2.6v10.8M4.5 9.5c0-3 7-1.5 7-5M11.5 4.8V2.6',
  link: 'M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2-2a2.6 2.6 0 0 0-3.7-3.7l-.8.8M9.2 6.8a2.6 2.6 0 0 0-3.7 0l-2 2a2.6 2.6 0 0 0 3.7 3.7l.8-.8',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth={1.45}
      strokeLinecap="round" strokeLinejoin="round" aria-hidden focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
