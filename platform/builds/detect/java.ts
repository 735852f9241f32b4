import { plan, shellCommand, user, versionIn } from './dockerfile.ts'
import { type Detector, NotBuildable } from './source-view.ts'

export const java: Detector = {
  lookedFor: 'pom.xml, build.gradle or build.gradle.kts (Java)',
  async detect(source) {
    const gradle = source.first('build.gradle', 'build.gradle.kts')
    const isMaven = source.has('pom.xml')
    if (!isMaven && gradle === null) return null
    const text = await source.text(isMaven ? 'pom.xml' : (gradle ?? ''))
    const version =
      versionIn(text, /<(?:java\.version|maven\.compiler\.(?:release|source|target)|release)>(\d+)</) ??
      versionIn(
        text,
        /(?:languageVersion\s*=\s*JavaLanguageVersion\.of\(|sourceCompatibility\s*=\s*['"]?(?:JavaVersion\.VERSION_)?)(\d+)/,
      ) ??
      '21'
    const isBoot = /spring-boot/.test(text)
    const isQuarkus = /quarkus/.test(text)
    if (!isMaven && !source.has('gradlew'))
      throw new NotBuildable(
        `There is a ${gradle}, and no gradlew beside it: run \`gradle wrapper\` and add what it makes to the source.`,
      )
    const wrapper = isMaven ? source.has('mvnw') : source.has('gradlew')
    const maven = wrapper ? 'sh ./mvnw' : 'mvn'
    const what = `Java ${version}, ${isMaven ? 'Maven' : 'Gradle'}${isBoot ? ', Spring Boot' : isQuarkus ? ', Quarkus' : ''}`
    const folder = isMaven ? 'target' : 'build/libs'
    const builder =
      isMaven && !wrapper ? source.images.of('maven', version) : source.images.of('jdk', version)
    return plan(
      what,
      source,
      [
        `FROM ${builder} AS build`,
        'WORKDIR /src',
        ...(isMaven && !/<modules>/.test(text)
          ? [
              `COPY pom.xml ${wrapper ? 'mvnw ' : ''}./`,
              wrapper ? 'COPY .mvn .mvn' : null,
              `RUN ${maven} -q -B dependency:go-offline`,
              'COPY . .',
              `RUN ${maven} -q -B package -DskipTests`,
            ]
          : [
              'COPY . .',
              isMaven ? `RUN ${maven} -q -B package -DskipTests` : 'RUN sh ./gradlew --no-daemon assemble',
            ]),
        isQuarkus && isMaven
          ? 'RUN mv target/quarkus-app /app && mv /app/quarkus-run.jar /app/app.jar'
          : // The largest is the one with all that it needs.
            `RUN mkdir /app && cp "$(ls -S ${folder}/*.jar | grep -v -e '-plain\\.jar$' -e '-sources\\.jar$' -e '-javadoc\\.jar$' | head -n 1)" /app/app.jar`,
        '',
        `FROM ${source.images.of('jre', version)}`,
        'WORKDIR /app',
        'COPY --from=build /app /app',
        'ENV PORT=8080',
        `USER ${user}`,
        shellCommand(
          source.webCommand ??
            'java -XX:MaxRAMPercentage=75 -Dserver.port=$PORT -Dquarkus.http.port=$PORT -jar app.jar',
        ),
      ],
      ['target', 'build', '.gradle'],
    )
  },
}
