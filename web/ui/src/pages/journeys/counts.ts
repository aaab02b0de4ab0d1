/** How many people are inside a journey. */

import type { JourneyView } from '../../api/schema'

/** Who stands in states side by side is counted in each: entered and not ended is everybody once. */
export function insideOf(journey: Pick<JourneyView, 'entered' | 'exited'>): number {
  return Math.max(journey.entered - journey.exited, 0)
}
