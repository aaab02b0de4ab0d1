/** Builds: modules with their types for npm, and scripts for pages without a bundler. Run by `npm run build`. */

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
// Node's own resolution wants files by their whole names; types that it does not find would be `any` without a word.
for (const file of readdirSync('dist').filter((name) => name.endsWith('.d.ts'))) {
  writeFileSync(`dist/${file}`, readFileSync(`dist/${file}`, 'utf8').replace(/(from '\.\/[\w-]+)'/g, "$1.js'"))
}
