import { defineConfig } from 'vitest/config'

export default defineConfig({
  build: { lib: { entry: 'src/index.ts', formats: ['es'], fileName: 'index' }, sourcemap: true },
  test: { name: 'sdk', environment: 'happy-dom', include: ['src/**/*.test.ts'], passWithNoTests: true },
})
