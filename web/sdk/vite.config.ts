import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { name: 'sdk', environment: 'happy-dom', include: ['src/**/*.test.ts'] },
})
