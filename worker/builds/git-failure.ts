/** What it means for whoever deployed that git did not get the source. */
import type { GitFailure } from '../../engine/index.ts'
import type { GitRef } from '../../platform/model/git-source.ts'
import { DeployFailure } from '../failure.ts'

export function gitFailure(
  failure: GitFailure,
  { address, ref }: { address: string; ref: GitRef },
): DeployFailure {
  const reason = failure.message
  const facts = { reason, address, ref: `${ref.kind} ${ref.name}` }
  switch (failure.reason) {
    case 'denied':
      return new DeployFailure(
        'git-denied',
        address.startsWith('ssh:')
          ? `${address} does not let Berth in: ${reason}. Add the app's deploy key to the repository on its host.`
          : `${address} does not let Berth in, or is not there: ${reason}. A private repository needs a token that may read it.`,
        { facts },
      )
    case 'ref-missing':
      return new DeployFailure('git-ref-missing', `The repository has no ${ref.kind} ${ref.name}.`, { facts })
    case 'unreachable':
    case 'certificate':
      return new DeployFailure('git-unreachable', `The repository's host can't be asked: ${reason}`, {
        facts,
      })
    case 'host-key':
      return new DeployFailure('git-host-key', hostKeyMessage(reason, address), { facts })
    case 'disk-full':
    case 'timeout':
    case 'failed':
      return new DeployFailure('git-failed', `Git could not fetch the source: ${reason}`, { facts })
  }
}

/** @param reason ssh's own words. */
function hostKeyMessage(reason: string, address: string): string {
  const unknown = /host key is known for (\S+)/.exec(reason)?.[1]
  const host = URL.parse(address)?.hostname.replace(/^\[|\]$/g, '')
  return unknown === undefined || unknown === host
    ? "The repository's host shows another key than the one it is known by. If that is right, remove the kept key from the app's Git source."
    : `A submodule is fetched by ssh from ${unknown}, of which no key is known. Name it by https, or keep it on the repository's own host.`
}
