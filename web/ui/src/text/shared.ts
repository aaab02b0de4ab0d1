/** Words that the pages over analytics share. */

export const SHARED = {
  notToConclude: 'What not to conclude',
  definition: 'How this was counted',
  interval: '95% interval',
  ask: 'Ask',
  event: 'Event',
  other: 'all others',
  without: 'unknown',
  everybody: 'Everybody',
  loading: 'Counting…',
} as const
