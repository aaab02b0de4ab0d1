/** The script with the core alone: `dist/sojourn.min.js`. */

import { runScript } from './script'

runScript()
