import { challengeAnswer } from '../../../../platform/domains/domains.ts'
import { getPlatform } from '../../../_server/platform.ts'

/** Shows that the name that was asked leads to this Berth. The edge sends these here whatever the name. */
export async function GET(_: Request, { params }: { params: Promise<{ id: string }> }): Promise<Response> {
  const answer = await challengeAnswer(await getPlatform(), (await params).id.slice(0, 100))
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }
  return answer === null
    ? new Response('Nothing waits for this.\n', { status: 404, headers })
    : new Response(`${answer}\n`, { headers })
}
