import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

/** Where a server answers while the studio is worked on: `npm run dev -w ui` passes the API on to it. */
const SERVER = process.env['SOJOURN_URL'] ?? 'http://localhost:8080'

const PROXY = { '/api': SERVER, '/v1': SERVER, '/metrics': SERVER }

/** Files that are only fetched by the pages that use them, so that the first page stays small. */
const LAZY_GROUPS = [
  { name: 'charts', test: /node_modules\/(echarts|zrender)\// },
  { name: 'flow', test: /node_modules\/(@xyflow|d3-[a-z]+|zustand|classcat)\// },
  { name: 'editor', test: /node_modules\/(@codemirror|@lezer|codemirror|style-mod|w3c-keyname|crelt)\// },
  { name: 'yaml', test: /node_modules\/yaml\// },
  { name: 'base', test: /node_modules\/(react|react-dom|scheduler|wouter|regexparam|@tanstack|openapi-fetch)\// },
]

export default defineConfig({
  base: '/studio/',
  plugins: [react()],
  build: {
    outDir: '../../src/sojourn/server/studio',
    emptyOutDir: true,
    // The content security policy lets no data: address in for fonts and scripts.
    assetsInlineLimit: 0,
    // The one lazy file over this is the layout engine, which only its worker loads.
    chunkSizeWarningLimit: 1600,
    rollupOptions: { output: { codeSplitting: { groups: LAZY_GROUPS } } },
  },
  worker: { format: 'es' },
  server: { proxy: PROXY },
  preview: { proxy: PROXY },
  test: { name: 'ui', environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
})
