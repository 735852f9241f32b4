import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { loadConfig } from '../../../platform/config.ts'
import { checkHealth } from '../../../platform/health.ts'
import { openPlatform } from '../../../platform/open.ts'
import { openTestPlatform, type TestPlatform } from '../../support/platform.ts'

let berth: TestPlatform

beforeAll(async () => {
  berth = await openTestPlatform({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
})
afterAll(() => berth?.close())

test('health tells which of the servers does not answer', async () => {
  expect(await checkHealth(berth.platform)).toEqual({ database: true, redis: true })
  const nowhere = {
    ...berth.environment,
    BERTH_LOG_LEVEL: 'error',
    DATABASE_URL: 'postgresql://a:b@127.0.0.1:9/x',
  }
  const broken = await openPlatform(loadConfig(nowhere))
  try {
    expect(await checkHealth(broken)).toEqual({ database: false, redis: true })
  } finally {
    await broken.close()
  }
})
