/** Sizes: what a page has to load, and that it stays small. Run by `npm run sizes` after a build. */

import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

/** Bytes after gzip that a file may have; the core's is a promise of the documentation. */
const MOST = { 'sojourn.min.js': 8_192, 'sojourn.full.min.js': 14_336 }

let isOver = false
for (const [file, most] of Object.entries(MOST)) {
  const bytes = gzipSync(readFileSync(`dist/${file}`), { level: 9 }).length
  console.log(`${file}: ${bytes.toLocaleString('en')} bytes gzip, of ${most.toLocaleString('en')}`)
  isOver ||= bytes > most
}
if (isOver) {
  console.error('A file is larger than it may be: make it smaller, or say why it may be larger in sizes.ts.')
  process.exit(1)
}
