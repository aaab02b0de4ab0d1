/** The script with all: `dist/sojourn.full.min.js`. `data-autocapture` and `data-vitals` switch them on. */

import { autocapture } from './autocapture'
import { runScript } from './script'
import { vitals } from './vitals'

runScript((sojourn, asked) => {
  if ('autocapture' in asked) autocapture(sojourn)
  if ('vitals' in asked) vitals(sojourn)
})
