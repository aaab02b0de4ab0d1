import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { projects: ['ui/vite.config.ts', 'sdk/vite.config.ts'], passWithNoTests: true },
})
