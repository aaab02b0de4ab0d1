/** Builds: modules with their types for npm, and scripts for pages without a bundler. Run by `npm run build`. */

import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { build, type InlineConfig } from 'vite'

const MODULES = ['index', 'autocapture', 'vitals', 'openfeature']
const SCRIPTS = { 'script-core': 'sojourn.min.js', 'script-full': 'sojourn.full.min.js' }
const TARGET = 'es2022' // Chromium 94, Firefox 93, Safari 15.4: what the code asks of a browser

const common: InlineConfig = { configFile: false, logLevel: 'warn', publicDir: false }

rmSync('dist', { recursive: true, force: true })
await build({
  ...common,
  build: {
    target: TARGET,
    sourcemap: true,
    emptyOutDir: false,
    lib: { entry: Object.fromEntries(MODULES.map((name) => [name, `src/${name}.ts`])), formats: ['es'] },
  },
})
for (const [entry, file] of Object.entries(SCRIPTS)) {
  await build({
    ...common,
    build: {
      target: TARGET,
      minify: true,
      emptyOutDir: false,
      lib: { entry: `src/${entry}.ts`, formats: ['iife'], name: '_', fileName: () => file },
    },
  })
}
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json'], { stdio: 'inherit' })
