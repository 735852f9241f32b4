import { loadConfig } from '../../platform/config.ts'
import { ApiError, operatorApi } from '../api.ts'
import { stage } from '../say.ts'
import { mustHaveSettings, type Settings, writeSettings } from '../settings.ts'
import { deployWelcome, welcomeAddress } from './deploy.ts'

/** The welcome app, on the first start only, and what to tell the person. */
export async function firstApp(
  home: string,
  settings: Settings,
  env: Record<string, string>,
): Promise<string[]> {
  const api = operatorApi(home, settings)
  if (!settings.welcomed) {
    await stage('welcome app', (note) => deployWelcome(api, home, env, note))
    writeSettings(home, { ...mustHaveSettings(home), welcomed: true })
  }
  const lines = [`Dashboard    ${loadConfig(env).publicUrl}`]
  try {
    lines.push(`Set-up link  ${(await api.post<{ url: string }>('/operator/setup-link')).url}`)
  } catch (error) {
    // It has an owner.
    if (!(error instanceof ApiError && error.status === 410)) throw error
  }
  const address = await welcomeAddress(api)
  if (address) lines.push(`Welcome app  ${address}`)
  return lines
}
