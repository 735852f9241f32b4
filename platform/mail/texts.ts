/** What letters say, in both languages. Names in them are chosen by people: they have no control characters. */

export type MailLanguage = 'en' | 'zh-CN'

export function mailLanguage(locale: string | null | undefined): MailLanguage {
  return locale === 'zh-CN' ? 'zh-CN' : 'en'
}

export interface MailValues {
  invitation: { team: string; by: string; url: string }
  reset: { url: string }
  register: { url: string }
  'has-account': { signInUrl: string; resetUrl: string }
  'password-changed': { resetUrl: string }
  'new-sign-in': { address: string; at: string; accountUrl: string }
  'channel-disabled': { channel: string; url: string }
  'host-alert': { host: string; sentence: string; url: string }
  test: Record<never, never>
}

export type MailKind = keyof MailValues

type Text<Kind extends MailKind> = (values: MailValues[Kind]) => { subject: string; lines: string[] }

const english: { [Kind in MailKind]: Text<Kind> } = {
  invitation: ({ team, by, url }) => ({
    subject: `Join ${team} on Berth`,
    lines: [
      `${by} invites you to the team ${team}.`,
      `Follow this link within 7 days:\n${url}`,
      'If you don’t know what this is about, do nothing.',
    ],
  }),
  reset: ({ url }) => ({
    subject: 'A new password for Berth',
    lines: [
      'Somebody asked for a new password for your account, probably you.',
      `Choose one within an hour; the link works once:\n${url}`,
      'If it was not you, do nothing: your password stays as it is.',
    ],
  }),
  register: ({ url }) => ({
    subject: 'Make your account on Berth',
    lines: [
      'Somebody asked for an account with this address, probably you.',
      `Make it within a day; the link works once:\n${url}`,
      'If it was not you, do nothing: there is no account.',
    ],
  }),
  'has-account': ({ signInUrl, resetUrl }) => ({
    subject: 'You have an account on Berth',
    lines: [
      'Somebody asked for an account with this address, probably you. You have one already.',
      `Sign in:\n${signInUrl}`,
      `If you forgot the password, ask for a new one:\n${resetUrl}`,
    ],
  }),
  'password-changed': ({ resetUrl }) => ({
    subject: 'Your password for Berth was changed',
    lines: [
      'Your password was changed, and all sessions ended.',
      `If it was not you, choose another one now, and tell an administrator:\n${resetUrl}`,
    ],
  }),
  'new-sign-in': ({ address, at, accountUrl }) => ({
    subject: 'New sign-in to Berth',
    lines: [
      `Somebody signed in to your account with a browser that we did not know, from ${address} at ${at} (UTC).`,
      `If it was not you, end that session and change your password:\n${accountUrl}`,
    ],
  }),
  'channel-disabled': ({ channel, url }) => ({
    subject: `Notifications to ${channel} are switched off`,
    lines: [
      `Nothing arrived at the channel ${channel} for days, so Berth does not try any more.`,
      `See what its receiver answered, and switch it on again:\n${url}`,
    ],
  }),
  'host-alert': ({ host, sentence, url }) => ({
    subject: `${host}: ${sentence}`,
    lines: [`The host ${host}: ${sentence}.`, `See it, and what it used:\n${url}`],
  }),
  test: () => ({
    subject: 'A test message from Berth',
    lines: ['If you can read this, Berth can send e-mail.'],
  }),
}

const chinese: { [Kind in MailKind]: Text<Kind> } = {
  invitation: ({ team, by, url }) => ({
    subject: `加入 Berth 上的团队 ${team}`,
    lines: [
      `${by} 邀请您加入团队 ${team}。`,
      `请在 7 天内打开此链接：\n${url}`,
      '如果您不清楚这是什么，请忽略本邮件。',
    ],
  }),
  reset: ({ url }) => ({
    subject: '重置您的 Berth 密码',
    lines: [
      '有人（可能是您本人）请求为您的账户设置新密码。',
      `请在一小时内设置新密码，链接只能使用一次：\n${url}`,
      '如果不是您本人操作，请忽略本邮件，您的密码不会改变。',
    ],
  }),
  register: ({ url }) => ({
    subject: '创建您的 Berth 账户',
    lines: [
      '有人（可能是您本人）请求使用此邮箱创建账户。',
      `请在一天内完成创建，链接只能使用一次：\n${url}`,
      '如果不是您本人操作，请忽略本邮件，不会创建任何账户。',
    ],
  }),
  'has-account': ({ signInUrl, resetUrl }) => ({
    subject: '您已有 Berth 账户',
    lines: [
      '有人（可能是您本人）请求使用此邮箱创建账户，但您已经有账户了。',
      `登录：\n${signInUrl}`,
      `如果忘记了密码，请申请新密码：\n${resetUrl}`,
    ],
  }),
  'password-changed': ({ resetUrl }) => ({
    subject: '您的 Berth 密码已更改',
    lines: [
      '您的密码已更改，所有会话均已结束。',
      `如果不是您本人操作，请立即重新设置密码，并告知管理员：\n${resetUrl}`,
    ],
  }),
  'new-sign-in': ({ address, at, accountUrl }) => ({
    subject: '您的 Berth 账户有新的登录',
    lines: [
      `有人通过一个我们不认识的浏览器登录了您的账户，来自 ${address}，时间 ${at}（UTC）。`,
      `如果不是您本人操作，请结束该会话并更改密码：\n${accountUrl}`,
    ],
  }),
  'channel-disabled': ({ channel, url }) => ({
    subject: `已停用通知渠道 ${channel}`,
    lines: [
      `渠道 ${channel} 连续数天没有收到任何消息，Berth 已停止发送。`,
      `请查看接收方的响应，然后重新启用：\n${url}`,
    ],
  }),
  'host-alert': ({ host, sentence, url }) => ({
    subject: `${host}：${sentence}`,
    lines: [`主机 ${host}：${sentence}。`, `查看主机及其用量：\n${url}`],
  }),
  test: () => ({
    subject: 'Berth 测试邮件',
    lines: ['如果您能看到这封邮件，说明 Berth 可以发送邮件。'],
  }),
}

const languages: Record<MailLanguage, { [Kind in MailKind]: Text<Kind> }> = { en: english, 'zh-CN': chinese }

/** Subject and text of a letter. */
export function writeLetter<Kind extends MailKind>(
  kind: Kind,
  language: MailLanguage,
  values: MailValues[Kind],
): { subject: string; text: string } {
  const { subject, lines } = languages[language][kind](values)
  return { subject, text: `${lines.join('\n\n')}\n` }
}
