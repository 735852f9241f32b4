import { X509Certificate } from 'node:crypto'
import { appUrl, loadConfig } from '../../platform/config.ts'
import type { AcmeState } from '../../platform/model/acme-settings.ts'
import { type Api, ApiError, operatorApi } from '../api.ts'
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
  if (settings.ownHttps) lines.push(...(await ownAuthority(api, settings, env)))
  return lines
}

/** Where no other authority is asked, devices have to be told of Berth's own: docs/install.md. */
async function ownAuthority(api: Api, settings: Settings, env: Record<string, string>): Promise<string[]> {
  const { server } = await api.get<AcmeState>('/admin/acme')
  if (server !== null) return []
  const path = '/api/certificate-authority'
  const answer = await fetch(`http://127.0.0.1:${settings.webPort}${path}`, {
    signal: AbortSignal.timeout(30_000),
  })
  const { fingerprint256 } = new X509Certificate(await answer.text())
  const config = loadConfig(env)
  const url = `${appUrl(config, config.domain ?? 'localhost')}${path}`
  return [`Certificate  ${url}`, `             of the authority that signed it, SHA-256 ${fingerprint256}`]
}
