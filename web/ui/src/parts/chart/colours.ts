/** The colours that charts and graphs on a canvas draw with. */

import { useMemo } from 'react'
import { readColours, useIsDark } from '../theme'

const NAMES = [
  'bg', 'panel', 'raised', 'subtle', 'border', 'border-strong', 'text', 'muted', 'faint', 'accent', 'accent-text', 'accent-subtle',
  'good', 'bad', 'warn', 'info', 'more-one', 'more-other',
  'series-1', 'series-2', 'series-3', 'series-4', 'series-5', 'series-6', 'series-7', 'series-8',
] as const

export type Colours = Readonly<Record<(typeof NAMES)[number], string>>

/** What the tokens are now; anew when the page turns dark or light. */
export function useColourValues(): Colours {
  const isDark = useIsDark()
  // eslint-disable-next-line react-hooks/exhaustive-deps -- what is read depends on it
  return useMemo(() => readColours(NAMES), [isDark])
}

/** A colour with an opacity from 0 to 1: `fade('rgb(1, 2, 3)', 0.5)` is `rgba(1, 2, 3, 0.5)`. */
export function fade(colour: string, opacity: number): string {
  const parts = /rgba?\(([^)]+)\)/.exec(colour)?.[1]?.split(/[ ,/]+/).slice(0, 3)
  return parts ? `rgba(${parts.join(', ')}, ${opacity})` : colour
}
