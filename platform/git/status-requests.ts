/**
 * How each forge is told how it went with a commit. Pure. Sources: GitHub REST "Commit statuses", GitLab "Commits API:
 * set commit pipeline status", Gitea's API /repos/{owner}/{repo}/statuses/{sha}, Bitbucket Cloud "Commit statuses".
 */
export type CommitState = 'pending' | 'success' | 'failure'

export interface StatusRequest {
  url: string
  headers: Record<string, string>
  body: string
}

export interface StatusFacts {
  address: string
  forge: string | null
  username: string
  token: string
  sha: string
  state: CommitState
  /** What tells it from others' statuses of the same commit. */
  context: string
  description: string
  /** Where to read more. */
  url: string
}

/** Null: nobody knows how this host is told. */
export function statusRequest(facts: StatusFacts): StatusRequest | null {
  const { address, token, sha, state, context, description, url } = facts
  const { origin, host, pathname } = new URL(address)
  const path = pathname.replace(/^\/+/, '').replace(/\.git$/, '')
  const common = { context, description, target_url: url }
  switch (facts.forge ?? knownHosts[host]) {
    case 'github': {
      const api = host === 'github.com' ? 'https://api.github.com' : `${origin}/api/v3`
      return {
        url: `${api}/repos/${path}/statuses/${sha}`,
        headers: { authorization: `Bearer ${token}`, 'x-github-api-version': '2022-11-28' },
        body: JSON.stringify({ state, ...common }),
      }
    }
    case 'gitlab':
      return {
        url: `${origin}/api/v4/projects/${encodeURIComponent(path)}/statuses/${sha}`,
        headers: { 'private-token': token },
        body: JSON.stringify({ state: state === 'failure' ? 'failed' : state, ...common, name: context }),
      }
    case 'gitea':
      return {
        url: `${origin}/api/v1/repos/${path}/statuses/${sha}`,
        headers: { authorization: `token ${token}` },
        body: JSON.stringify({ state, ...common }),
      }
    case 'bitbucket': {
      const said = { pending: 'INPROGRESS', success: 'SUCCESSFUL', failure: 'FAILED' }
      if (host !== 'bitbucket.org') return null
      return {
        url: `https://api.bitbucket.org/2.0/repositories/${path}/commit/${sha}/statuses/build`,
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({
          state: said[state],
          key: context.slice(0, 40),
          name: context,
          description,
          url,
        }),
      }
    }
    default:
      return null
  }
}

const knownHosts: Record<string, string | undefined> = {
  'github.com': 'github',
  'gitlab.com': 'gitlab',
  'codeberg.org': 'gitea',
  'bitbucket.org': 'bitbucket',
}
