'use server'

import { deployFromGit } from '@/platform/git/deploy.ts'
import { removeGitSource, renewDeployKey, setGitSource } from '@/platform/git/source.ts'
import { makeGitWebhook, type NewGitWebhook } from '@/platform/git/webhooks/hooks.ts'
import type { GitSource, GitSourceInput } from '@/platform/model/git-source.ts'
import type { Deployment } from '@/platform/model/resources.ts'
import type { ActionResult } from './result.ts'
import { asId, run } from './run.ts'

export async function setGitSourceAction(
  appId: string,
  input: GitSourceInput,
): Promise<ActionResult<GitSource>> {
  return run((platform, viewer) => setGitSource(platform, viewer, asId(appId), input))
}

export async function removeGitSourceAction(appId: string): Promise<ActionResult> {
  return run(async (platform, viewer) => {
    await removeGitSource(platform, viewer, asId(appId))
    return null
  })
}

export async function renewDeployKeyAction(appId: string): Promise<ActionResult<GitSource>> {
  return run((platform, viewer) => renewDeployKey(platform, viewer, asId(appId)))
}

export async function makeGitWebhookAction(appId: string): Promise<ActionResult<NewGitWebhook>> {
  return run((platform, viewer) => makeGitWebhook(platform, viewer, asId(appId)))
}

export async function deployFromGitAction(appId: string): Promise<ActionResult<Deployment>> {
  return run((platform, viewer) => deployFromGit(platform, viewer, asId(appId)))
}
