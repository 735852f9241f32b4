import type { NotificationMessage } from '../model/notifications.ts'
import { sentenceOf, type WordsLanguage } from './words.ts'

/** Subject and text of the letter that tells of an event. */
export function letterOf(
  { team, about }: NotificationMessage,
  link: string,
  language: WordsLanguage,
): { subject: string; text: string } {
  const isEnglish = language === 'en'
  if (about === null) {
    const subject = isEnglish ? `A test of ${team.name}’s notifications` : `${team.name} 的通知测试`
    const text = isEnglish ? 'Messages of this channel arrive here.' : '此渠道的消息会发送到这里。'
    return { subject, text: `${text}\n\n${link}\n` }
  }
  const { app, project, entry } = about
  const sentence = sentenceOf(entry.event, language)
  const subject = oneLine(`${app.name}: ${sentence}`).slice(0, 150)
  const when = `${entry.at.slice(0, 19).replace('T', ' ')} UTC`
  const by = entry.actor === null ? 'Berth' : entry.actor
  const lines = isEnglish
    ? [`${app.name}: ${sentence}`, `${team.name} / ${project.name} · ${when} · by ${by}`, link]
    : [`${app.name}：${sentence}`, `${team.name} / ${project.name} · ${when} · ${by}`, link]
  return { subject, text: `${lines.join('\n\n')}\n` }
}

/** A line end in a subject would begin another header. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029\s]+/gu, ' ')
    .trim()
    .toWellFormed()
}
