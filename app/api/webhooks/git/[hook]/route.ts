import { answerGitWebhook } from '../../../../_server/git-webhook.ts'
import { getPlatform } from '../../../../_server/platform.ts'

export async function POST(
  request: Request,
  { params }: { params: Promise<{ hook: string }> },
): Promise<Response> {
  return answerGitWebhook(await getPlatform(), (await params).hook, request)
}
