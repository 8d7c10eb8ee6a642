/**
 * One deliberate breakage of the product, and the test that must catch it: its title as it stands
 * in the file, `%s` and the like included.
 */
export interface Breakage {
  /** What is broken, in a few words. */
  what: string;
  file: string;
  /** Stands exactly once in the file. */
  find: string;
  replace: string;
  caughtBy: { file: string; test: string };
}

/** Each undoes one thing that a promise rests on. */
export const BREAKAGES: readonly Breakage[] = [
  {
    what: 'the look right before a revoke is not compared with the evidence',
    file: 'workflows/rotation/steps/revoke.ts',
    find: 'let reason = reasonNow(fresh);',
    replace: 'let reason = reasonNow(fresh) && undefined;',
    caughtBy: {
      file: 'test/workflows/revoke.test.ts',
      test: 'a running container that holds the old token at the last look keeps it alive, and is named',
    },
  },
  {
    what: 'what Signon lists after a revoke is not looked at before the next',
    file: 'workflows/rotation/steps/revoke.ts',
    find: 'if (reasonNow({ ...fresh, tokens: revoked.tokens }) !== undefined) break;',
    replace: '',
    caughtBy: {
      file: 'test/workflows/sizes.test.ts',
      test: 'of many tokens, no other is revoked after one whose page shows that the approval is void, though one look serves several',
    },
  },
  {
    what: 'a revoke is sent however old its look is',
    file: 'activities/signon/revoke-token.ts',
    find: 'if (Date.now() > Date.parse(notAfter))',
    replace: 'if (Date.now() < 0)',
    caughtBy: {
      file: 'test/activities/signon.test.ts',
      test: 'a revoke whose look is too old is not sent, and attempt %i says so for certain: %j',
    },
  },
  {
    what: 'only the first container is verified',
    file: 'domain/cluster/possession.ts',
    find: 'const others = running(look).filter((container) => !holds(container, token));',
    replace:
      'const others = running(look).slice(0, 1).filter((container) => !holds(container, token));',
    caughtBy: {
      file: 'test/domain/possession.test.ts',
      test: 'is never done while any running container holds another token',
    },
  },
  {
    what: 'pods that are being deleted are ignored',
    file: 'domain/cluster/possession.ts',
    find: 'const others = running(look).filter((container) => !holds(container, token));',
    replace:
      'const others = running(look).filter((one) => !one.terminating && !holds(one, token));',
    caughtBy: {
      file: 'test/domain/possession.test.ts',
      test: 'waits for a pod that is being deleted and still holds the old token',
    },
  },
  {
    what: 'a container that is about to start is not waited for',
    file: 'domain/cluster/possession.ts',
    find: "({ state, terminating }) => state === 'starting' && !terminating,",
    replace: '() => false,',
    caughtBy: {
      file: 'test/domain/possession.test.ts',
      test: 'waits for a container that is about to start, unless its pod is being deleted',
    },
  },
  {
    what: 'the old token is revoked before anybody approved',
    file: 'workflows/rotation/approvals.ts',
    find: 'if (!verdict.counts) {',
    replace: 'if (!verdict.counts && false) {',
    caughtBy: {
      file: 'test/workflows/approval.test.ts',
      test: 'an approval that quotes the round before revokes nothing',
    },
  },
  {
    what: 'any evidence code is accepted',
    file: 'domain/evidence/approval.ts',
    find: 'if (approval.evidence.trim().toLowerCase() !== code)',
    replace: "if (approval.evidence.trim() === '')",
    caughtBy: {
      file: 'test/domain/approval.test.ts',
      test: 'an approval meant for another run counts for nothing',
    },
  },
  {
    what: 'the code is the same in every round',
    file: 'domain/evidence/evidence.ts',
    find: '    String(evidence.round),\n',
    replace: '',
    caughtBy: {
      file: 'test/domain/evidence.test.ts',
      test: 'differs between runs and between rounds',
    },
  },
  {
    what: 'an approval covers tokens whose holder is unknown, unnamed',
    file: 'domain/evidence/approval.ts',
    find: "toRevoke.filter(({ standing }) => standing === 'given-up')",
    replace: "toRevoke.filter(({ standing }) => standing !== 'x')",
    caughtBy: {
      file: 'test/domain/approval.test.ts',
      test: 'without names it covers the tokens given up, and no token whose holder is unknown',
    },
  },
  {
    what: 'production takes the requester’s own approval',
    file: 'domain/evidence/approval.ts',
    find: 'needsSecondPerson(request.environment) &&\n',
    replace: '!needsSecondPerson(request.environment) &&\n',
    caughtBy: {
      file: 'test/domain/approval.test.ts',
      test: 'production counts no approval by the requester, whatever the case and the blanks of the name',
    },
  },
  {
    what: 'whoever says “alert” is nobody, whatever the server recorded',
    file: 'domain/evidence/approval.ts',
    find: 'if (requestedBy === ALERT) return starter.identity === receiver;',
    replace: 'if (requestedBy === ALERT) return receiver !== undefined;',
    caughtBy: {
      file: 'test/domain/approval.test.ts',
      test: 'who only calls himself %s, started by %j, is a person like any other',
    },
  },
  {
    what: 'a failed smoke call is up for acceptance',
    file: 'domain/evidence/approval.ts',
    find: "code === 'smoke-failed' || !approval.accept?.includes(code)",
    replace: "code !== 'smoke-failed' && !approval.accept?.includes(code)",
    caughtBy: {
      file: 'test/domain/approval.test.ts',
      test: 'never covers a failed smoke call, whatever is accepted',
    },
  },
  {
    what: 'a create is sent again without a look for what the first made',
    file: 'activities/signon/create-token.ts',
    find: 'if (found)\n',
    replace: 'if (found && listed.length < 0)\n',
    caughtBy: {
      file: 'test/whole/rotation.test.ts',
      test: 'the lost answer of a create makes no second token',
    },
  },
  {
    what: 'access is granted to a pair that has none',
    file: 'domain/rotation/plan.ts',
    find: 'if (!newest)\n    return {',
    replace: 'if (!newest && tokens.length > 0)\n    return {',
    caughtBy: {
      file: 'test/domain/plan.test.ts',
      test: 'never gets one (force: %p), and the end says so',
    },
  },
  {
    what: 'access that somebody ended meanwhile is granted anew',
    file: 'activities/signon/create-token.ts',
    find: 'if (!listed.some(({ authorisationId }) => before.includes(authorisationId)))',
    replace: 'if (listed.length < 0)',
    caughtBy: {
      file: 'test/activities/signon.test.ts',
      test: 'grants nothing anew to a pair whose tokens were all revoked since the rotation began',
    },
  },
  {
    what: 'a forced rotation adopts a token from before it',
    file: 'domain/rotation/plan.ts',
    find: 'if (request.force || !outlives',
    replace: 'if (!outlives',
    caughtBy: {
      file: 'test/domain/plan.test.ts',
      test: 'where force asks for it, however long the newest lives and whoever holds it',
    },
  },
  {
    what: 'the workflow goes another way in another run',
    file: 'workflows/rotation/steps/sync.ts',
    find: 'const { workflowId } = workflowInfo();\n',
    replace:
      'const { workflowId, runId } = workflowInfo();\n  for (let n = parseInt(runId.slice(0, 2), 16); n > 0; n--) await condition(() => false, 1);\n',
    caughtBy: {
      file: 'test/long/reset.test.ts',
      test: 'a reset to after the approval replays its verdict and goes on to the end',
    },
  },
  {
    what: 'exec’s Success is believed without the end marker',
    file: 'activities/kubernetes/exec.ts',
    find: 'if (lines.pop() !== END_MARKER)',
    replace: 'if (lines.pop() === undefined)',
    caughtBy: {
      file: 'test/activities/limits.test.ts',
      test: 'whose answer lacks its end have not answered, though they are said to have succeeded',
    },
  },
  {
    what: 'a container that gives no answer is taken for ended',
    file: 'activities/kubernetes/look.ts',
    find: "if ('failed' in answer) silent.set(",
    replace: "if (answer === KILLED) return;\n      if ('failed' in answer) silent.set(",
    caughtBy: {
      file: 'test/activities/kubernetes.test.ts',
      test: 'a container whose exec is killed every time is never taken for ended',
    },
  },
  {
    what: 'axios’ own error is passed on',
    file: 'activities/http.ts',
    find: "throw failure('Unreachable', `${system} did not answer ${method} ${shown} ${how}`);",
    replace:
      "throw Object.assign(failure('Unreachable', `${system} did not answer ${method} ${shown} ${how}`), { cause: error });",
    caughtBy: {
      file: 'test/activities/http.test.ts',
      test: 'an answer that is %s is a failure rebuilt from method and path',
    },
  },
  {
    what: 'text from outside is quoted as it is',
    file: 'domain/text/redact.ts',
    find: ".replace(LONG_RUN, (run) => (known.has(run) ? run : '[redacted]'));",
    replace: '.replace(LONG_RUN, (run) => run);',
    caughtBy: {
      file: 'test/domain/redact.test.ts',
      test: 'takes an unknown 43-character token out of a sync Job’s log',
    },
  },
  {
    what: 'a secret prints itself',
    file: 'config/secret.ts',
    find: "  toJSON(): string {\n    return '[secret]';",
    replace: '  toJSON(): string {\n    return this.#value;',
    caughtBy: {
      file: 'test/config/configuration.test.ts',
      test: 'shows no secret when printed, serialised or inspected',
    },
  },
  {
    what: 'text from outside is Markdown',
    file: 'domain/text/markdown.ts',
    find: '.replace(/[\\\\`*_{}[\\]()#+!|~&<>]/g, (mark) => `\\\\${mark}`)',
    replace: '',
    caughtBy: {
      file: 'test/domain/markdown.test.ts',
      test: 'brings no tag and no entity of its own into the page',
    },
  },
  {
    what: 'a Job that began before the token was there is taken over',
    file: 'activities/argo/create-activities.ts',
    find: 'Date.parse(createdAt) >= after + TAKE_OVER_AFTER_MS',
    replace: 'Date.parse(createdAt) >= 0',
    caughtBy: {
      file: 'test/activities/argo.test.ts',
      test: 'makes a new Job where the one that is there %s',
    },
  },
  {
    what: 'the token under the approved id is not compared',
    file: 'activities/signon/revoke-token.ts',
    find: 'if (seen.masked !== approved.masked || seen.expires !== approved.expires)',
    replace: 'if (seen.masked === approved.expires)',
    caughtBy: {
      file: 'test/activities/signon.test.ts',
      test: 'a token that differs from the approved one in “%s” is not revoked',
    },
  },
  {
    what: 'a token of a retired application counts as revoked',
    file: 'activities/signon/revoke-token.ts',
    find: '    await refuseUnlessOnOffer(pages, pair, `authorisation ${token.authorisationId} is not listed`);\n',
    replace: '',
    caughtBy: {
      file: 'test/activities/signon.test.ts',
      test: 'a token that is gone counts as revoked only while its application is still on offer',
    },
  },
  {
    what: 'a refused password is tried again',
    file: 'activities/signon/session.ts',
    find: 'if (this.refused !== undefined)',
    replace: "if (this.refused === '')",
    caughtBy: {
      file: 'test/activities/signon.test.ts',
      test: 'a refused password is not tried again by that worker',
    },
  },
  {
    what: 'Argo CD and Kubernetes may be of two clusters',
    file: 'workflows/rotation/steps/cron-job.ts',
    find: 'if (uid !== inKubernetes)',
    replace: 'if (uid === name)',
    caughtBy: {
      file: 'test/workflows/blocking.test.ts',
      test: 'a CronJob of another cluster blocks, naming both sides',
    },
  },
  {
    what: 'a smoke call that any token passes counts as passed',
    file: 'activities/kubernetes/smoke.ts',
    find: 'return REFUSED.has(madeUp)',
    replace: 'return madeUp',
    caughtBy: {
      file: 'test/whole/rotation.test.ts',
      test: 'a server application that lets any token in is reported as no proof',
    },
  },
  {
    what: 'a create is cut short by an abort',
    file: 'workflows/rotation/steps/issue.ts',
    find: 'const created = await CancellationScope.nonCancellable(async () => {',
    replace: 'const created = await CancellationScope.cancellable(async () => {',
    caughtBy: {
      file: 'test/workflows/stopping.test.ts',
      test: 'an abort in the middle of a create lets it end, and the report knows the new token',
    },
  },
  {
    what: 'a revoke before the history was cut is not confirmed',
    file: 'workflows/rotation/rotate-token.ts',
    find: 'let round = await confirmed(book, first);',
    replace: 'let round = first;',
    caughtBy: {
      file: 'test/long/floods.test.ts',
      test: 'an incident whose history is cut stays one: the next run confirms first, by what was proven before the revoke',
    },
  },
  {
    what: 'nothing is confirmed after the revoke',
    file: 'workflows/rotation/steps/confirm.ts',
    find: 'if (!proof || !book.record.hasUnconfirmedRevokes(round)) return round;',
    replace: 'if (book) return { ...round, confirmedRevokes: book.report.revoked.length };',
    caughtBy: {
      file: 'test/workflows/revoke.test.ts',
      test: 'a failure after the revoke is an incident that blocks and says what to do',
    },
  },
  {
    what: 'what cannot be seen after the revoke counts as confirmed',
    file: 'workflows/rotation/steps/confirm.ts',
    find: 'if (missing === undefined) return now;',
    replace: 'if (looks > 0) return now;',
    caughtBy: {
      file: 'test/workflows/revoke.test.ts',
      test: 'containers that %s after the revoke are an incident, once the limit of a rollout is over',
    },
  },
  {
    what: 'an empty list of a retired application counts as no token',
    file: 'activities/signon/pair-tokens.ts',
    find: 'if (tokens.length === 0) await',
    replace: 'if (tokens.length < 0) await',
    caughtBy: {
      file: 'test/activities/signon.test.ts',
      test: 'a list without any token of the pair is believed only while its application is on offer',
    },
  },
  {
    what: 'a rollout is over before a pod is ready to call from',
    file: 'activities/kubernetes/create-activities.ts',
    find: 'const isQuiet = allReady(now) &&',
    replace: 'const isQuiet = now !== undefined &&',
    caughtBy: {
      file: 'test/activities/kubernetes.test.ts',
      test: 'a rollout is over once a pod of each consumer is ready to call from',
    },
  },
  {
    what: 'the receiver lets any token in',
    file: 'client/receiver/server.ts',
    find: 'return timingSafeEqual(digest(given), digest(token.reveal()));',
    replace: 'return timingSafeEqual(digest(given), digest(given)) || token.reveal() === given;',
    caughtBy: {
      file: 'test/client/alert-receiver.test.ts',
      test: '%s: refused before the body is read',
    },
  },
  {
    what: 'what a sync is started with is believed of any run',
    file: 'workflows/shared/carried.ts',
    find: 'const isCut = continuedFromExecutionRunId !== undefined && !cronSchedule && attempt === 1;',
    replace:
      "const isCut = continuedFromExecutionRunId !== '' && attempt > 0 && cronSchedule !== '-';",
    caughtBy: {
      file: 'test/workflows/sync-tokens.test.ts',
      test: 'started with %s, it serves who asks, and nobody else',
    },
  },
  {
    what: 'a run of a cron schedule is taken for one that was cut',
    file: 'workflows/shared/carried.ts',
    find: ' && !cronSchedule && ',
    replace: " && cronSchedule !== '-' && ",
    caughtBy: {
      file: 'test/workflows/sync-tokens.test.ts',
      test: 'what a run of a cron schedule, or a retry, is given again is not believed',
    },
  },
  {
    what: 'whoever asks gets a sync Job',
    file: 'workflows/sync/sync-tokens.ts',
    find: 'const batch = await ofRotations(asking);',
    replace: 'const batch = asking;',
    caughtBy: {
      file: 'test/workflows/sync-tokens.test.ts',
      test: 'who is no running rotation gets no Job and no answer',
    },
  },
  {
    what: 'a Job is made whatever CronJob is asked for',
    file: 'activities/argo/create-activities.ts',
    find: 'if (cronJob.uid !== cronJobUid)',
    replace: 'if (cronJob.uid === cronJob.name)',
    caughtBy: {
      file: 'test/activities/argo.test.ts',
      test: 'makes no Job of a CronJob that is not the configured one by its uid, and names both',
    },
  },
  {
    what: 'a worker that shuts down leaves its question counted',
    file: 'activities/temporal/sign-in-budget.ts',
    find: "await tell(id, 'withdrawn');",
    replace: '',
    caughtBy: {
      file: 'test/activities/sign-in-budget.test.ts',
      test: 'a worker that shuts down gives its question up at once, and it takes no place',
    },
  },
  {
    what: 'a sync Job is taken over beside which an older one ended later',
    file: 'activities/argo/create-activities.ts',
    find: 'isLater(other) || hasEndedBefore(other, job)',
    replace: 'isLater(other) || hasEndedBefore(other, other) !== undefined',
    caughtBy: {
      file: 'test/activities/argo.test.ts',
      test: '%s an older one ended, which was over when it first looked',
    },
  },
  {
    what: 'a sign-in counts though no worker asked',
    file: 'workflows/sign-in/sign-in-ledger.ts',
    find: 'if (!(await proves(question)) || ',
    replace: 'if ((await proves(question)) === undefined || ',
    caughtBy: {
      file: 'test/workflows/sign-in-ledger.test.ts',
      test: 'what nobody proves counts for nothing: three forged questions and refusals leave all room for a worker',
    },
  },
  {
    what: 'an incident that Slack does not take is dropped',
    file: 'domain/notices/notices.ts',
    find: "return kind === 'incident' || kind === 'needed';",
    replace: "return kind === 'needed';",
    caughtBy: {
      file: 'test/workflows/notifications.test.ts',
      test: '%s is kept until Slack takes it, with what came meanwhile (%s, %s)',
    },
  },
  {
    what: 'only who reads the pair’s Secret is a consumer, whatever others hold',
    file: 'activities/kubernetes/look.ts',
    find: 'const found = told.held.flatMap((piece) => {',
    replace:
      'const found = told.held.filter(({ variable }) => reading.includes(variable)).flatMap((piece) => {',
    caughtBy: {
      file: 'test/whole/copies.test.ts',
      test: 'no token is revoked under a container that %s: the rotation blocks and names it',
    },
  },
  {
    what: 'containers of a workload whose template reads the Secret are taken for readers, whatever they were started with',
    file: 'activities/kubernetes/look.ts',
    find: 'const found = told.held.flatMap((piece) => {',
    replace: 'const found = told.held.filter(() => reading.length === 0).flatMap((piece) => {',
    caughtBy: {
      file: 'test/activities/arbitrary-clusters.test.ts',
      test: 'every running container that holds one of the pair’s tokens is shown with it, or named as not asked',
    },
  },
  {
    what: 'containers that take all of a Secret are not asked',
    file: 'activities/kubernetes/consumers.ts',
    find: 'return [...single, ...whole];',
    replace: 'return whole.length > 99 ? [...single, ...whole] : single;',
    caughtBy: {
      file: 'test/activities/consumers.test.ts',
      test: 'where it takes all of a Secret as variables',
    },
  },
  {
    what: 'a value counts only where it is the token and nothing else',
    file: 'activities/kubernetes/scripts.ts',
    find: "tr -c 'A-Za-z0-9_-' '\\\\n') || exit 121",
    replace: 'cat) || exit 121',
    caughtBy: { file: 'test/activities/scripts.test.ts', test: 'finds what a variable holds: %s' },
  },
  {
    what: 'a pod’s phase says whether its containers run',
    file: 'activities/kubernetes/pods.ts',
    find: "if (status?.state?.running) return 'running';",
    replace: "if (status?.state?.running && isAlive(pod)) return 'running';",
    caughtBy: {
      file: 'test/activities/consumers.test.ts',
      test: 'in a pod that has failed, while the container still runs',
    },
  },
  {
    what: 'ephemeral containers are not looked at',
    file: 'activities/kubernetes/consumers.ts',
    find: '    ...(spec?.ephemeralContainers ?? []),\n',
    replace: '',
    caughtBy: {
      file: 'test/activities/consumers.test.ts',
      test: 'in an ephemeral container that somebody added to the pod',
    },
  },
  {
    what: 'a workload of which nothing runs is nobody’s, whatever it would read',
    file: 'activities/kubernetes/idle-consumers.ts',
    find: 'census.lastOf({ workload, spec, sources });',
    replace: 'census.lastOf({ workload, spec, sources });\n    if (sources.length >= 0) continue;',
    caughtBy: {
      file: 'test/activities/consumers.test.ts',
      test: 'is a consumer where it has a Secret of the sync that belongs to no pair of today',
    },
  },
  {
    what: 'containers that were not asked are left out of the evidence',
    file: 'domain/evidence/gather-evidence.ts',
    find: 'return [...notStarted, ...unasked].map(',
    replace: 'return [...notStarted, ...unasked].slice(0, 0).map(',
    caughtBy: {
      file: 'test/activities/arbitrary-clusters.test.ts',
      test: 'whatever was not asked stands in the evidence, of a rotation and of an end of access alike',
    },
  },
  {
    what: 'a container that joined, claimed a token and dropped it makes it look given up',
    file: 'domain/cluster/possession.ts',
    find: '|| !known.includes(workload)) continue;',
    replace: '|| workload === undefined || known.length > 999) continue;',
    caughtBy: {
      file: 'test/domain/evidence.test.ts',
      test: 'have an unknown holder still where only a workload that joined later was seen holding them, and dropped them',
    },
  },
  {
    what: 'smoke calls are not repeated, however long the look after the approval took',
    file: 'workflows/rotation/steps/revoke.ts',
    find: 'Date.now() - shownAt > ms(shown.validFor)',
    replace: 'Date.now() - shownAt > ms(shown.validFor) && tooOld > 99',
    caughtBy: {
      file: 'test/workflows/revoke.test.ts',
      test: 'smoke calls that grew old while the look before the revoke took days are repeated before anything is revoked',
    },
  },
  {
    what: 'a malformed frame of an exec ends the worker',
    file: 'activities/kubernetes/exec.ts',
    find: 'return super.emit(event, ...details);\n    } catch {',
    replace:
      'return super.emit(event, ...details);\n    } catch (error) {\n      if (error) throw error;',
    caughtBy: {
      file: 'test/activities/kubernetes.test.ts',
      test: 'a malformed frame (%s) fails that one exec, which is made again, and ends no process',
    },
  },
  {
    what: 'a long history is read in pages that are too large for an answer',
    file: 'activities/temporal/history.ts',
    find: '(historySize ?? 0) < FITS_ANY_PAGE ? undefined : 1',
    replace: '(historySize ?? 0) < FITS_ANY_PAGE ? undefined : 1000',
    caughtBy: {
      file: 'test/long/floods.test.ts',
      test: 'three signals of 1.9 MB take nothing from a rotation: the approval after them is judged, by a history of more than one answer’s size',
    },
  },
  {
    what: 'a history that grows long is never cut',
    file: 'workflows/shared/carried.ts',
    find: 'return workflowInfo().continueAsNewSuggested;',
    replace: 'return false && workflowInfo().continueAsNewSuggested;',
    caughtBy: {
      file: 'test/long/floods.test.ts',
      test: 'a blocked rotation whose history is cut blocks again, and goes on from its step',
    },
  },
  {
    what: 'whoever joins after the evidence is taken for a holder of the new token',
    file: 'domain/evidence/voided.ts',
    find: '(consumer) => wasOutside || !isHolder(consumer, fresh.look, good),',
    replace: '(consumer) => wasOutside && !isHolder(consumer, fresh.look, good),',
    caughtBy: {
      file: 'test/domain/voided.test.ts',
      test: 'by a new consuming workload of which nothing runs',
    },
  },
  {
    what: 'a stop that a reset applies again counts',
    file: 'activities/temporal/recorded-decisions.ts',
    find: 'if (event.workflowTaskFailedEventAttributes?.newRunId) byReset = true;',
    replace: 'if (event.workflowTaskFailedEventAttributes?.newRunId) byReset = false;',
    caughtBy: {
      file: 'test/long/reset.test.ts',
      test: 'a reset of a rotation that was stopped by mistake (%s) applies the stop again, and it counts for nothing',
    },
  },
  {
    what: 'a watch that was interrupted after the approval voids nothing',
    file: 'workflows/rotation/steps/retire.ts',
    find: 'watch.wasInterruptedSince(evidence.watched!)\n',
    replace: 'watch.wasInterruptedSince(evidence.watched!) && evidence.round < 0\n',
    caughtBy: {
      file: 'test/workflows/disused.test.ts',
      test: 'a watch that was interrupted between approval and revoke voids the approval',
    },
  },
  {
    what: 'a pod that reads the Secret for a moment does not end the watch',
    file: 'workflows/rotation/steps/retire.ts',
    find: 'if (user) return usedAfterAll(book, situation, now, user);',
    replace: 'if (book.stops.stop && user) return usedAfterAll(book, situation, now, user);',
    caughtBy: {
      file: 'test/workflows/disused.test.ts',
      test: 'a pod that reads the Secret for a moment ends the watch with its name: nothing is revoked, and the pair is rotated',
    },
  },
  {
    what: 'a container that died of being asked is asked again',
    file: 'activities/kubernetes/look.ts',
    find: 'if (answer === KILLED) await refuseIfDead(container);\n',
    replace: '',
    caughtBy: {
      file: 'test/activities/kubernetes.test.ts',
      test: 'ends the census as well, and is told apart from a smoke call',
    },
  },
  {
    what: 'an approval that nobody signed counts as its program’s',
    file: 'domain/evidence/approval.ts',
    find: 'return [nameIn(principal), identity].find(isPerson)?.trim();',
    replace: 'return [nameIn(principal), identity].find(isPerson)?.trim() ?? identity;',
    caughtBy: {
      file: 'test/domain/approval.test.ts',
      test: 'an approval may leave its sender to the server: an e-mail address that it recorded counts, a program does not',
    },
  },
  {
    what: 'an update that changed nothing is called a success',
    file: 'workflows/shared/decisions.ts',
    find: "if (!answer.accepted) throw ApplicationFailure.nonRetryable(answer.answer, 'NotAccepted');",
    replace: '',
    caughtBy: {
      file: 'test/workflows/decisions.test.ts',
      test: 'whoever approves by update while it is rejected gets an answer, not silence',
    },
  },
  {
    what: 'an approval is offered although a smoke call failed',
    file: 'domain/rotation/offers.ts',
    find: 'return isRefused ? others : [approve, ...others];',
    replace: 'return isRefused && false ? others : [approve, ...others];',
    caughtBy: {
      file: 'test/domain/details.test.ts',
      test: 'offers no approval where a smoke call failed',
    },
  },
  {
    what: 'a script approves evidence that it has not read',
    file: 'client/cli/approve.ts',
    find: 'if (evidence !== undefined && evidence.trim().toLowerCase() !== asking.code)',
    replace: 'if (evidence !== undefined && evidence === asking.workflowId)',
    caughtBy: {
      file: 'test/client/cli.test.ts',
      test: 'approve --evidence asks nothing, and takes the code that stands for the evidence now alone',
    },
  },
  {
    what: 'one person approves twice where two must',
    file: 'domain/evidence/approval.ts',
    find: 'if (given.some((one) => one.names.some((name) => names.includes(name))))',
    replace: 'if (given.some((one) => one.names.some((name) => names.includes(name))) && false)',
    caughtBy: {
      file: 'test/domain/approval.test.ts',
      test: 'are of two people: nobody approves twice, under no name of theirs',
    },
  },
  {
    what: 'whoever is not among the approvers may approve',
    file: 'domain/evidence/approval.ts',
    find: 'if (isRestricted && !isListed(person, approvers.who, people))',
    replace: 'if (isRestricted && false && !isListed(person, approvers.who, people))',
    caughtBy: {
      file: 'test/domain/approval.test.ts',
      test: 'what the server recorded is looked up, not what the approver says',
    },
  },
  {
    what: 'a name with an invisible mark is another person',
    file: 'domain/request/people.ts',
    find: "const visible = name.normalize('NFKC').replace(INVISIBLE, '');",
    replace: "const visible = name.normalize('NFKC');",
    caughtBy: { file: 'test/domain/people.test.ts', test: 'a zero-width space' },
  },
  {
    what: 'the exec policy lets any text stand in place of a variable',
    file: 'activities/kubernetes/exec-policy.ts',
    find: "const VARIABLE = '^[A-Za-z_][A-Za-z0-9_]*$';",
    replace: "const VARIABLE = '';",
    caughtBy: {
      file: 'test/deploy/exec-policy.test.ts',
      test: 'the manifest is what the programs and the shipped smoke calls make of it',
    },
  },
  {
    what: 'a leak adopts a token that was there before',
    file: 'workflows/sweep/sweep.ts',
    find: '{ reason: asked.reason, force: true }',
    replace: '{ reason: asked.reason }',
    caughtBy: {
      file: 'test/client/leak.test.ts',
      test: 'every token of an API user is rotated by force, with one sync, and lives until its revoke is approved',
    },
  },
  {
    what: 'a token is issued for a holder outside without the approval of its plan, where a disused pair is used after all',
    file: 'workflows/rotation/steps/begin.ts',
    find: "  if (plan.kind === 'issue') await agreed(book, situation);\n",
    replace: '',
    caughtBy: {
      file: 'test/workflows/disused.test.ts',
      test: 'nothing is issued for the holder before its plan is approved',
    },
  },
  {
    what: 'a container that cannot be asked is not waited for, however old it is',
    file: 'domain/cluster/possession.ts',
    find: '[...others, ...starting, ...tooOld]',
    replace: '[...others, ...starting, ...tooOld.slice(0, 0)]',
    caughtBy: {
      file: 'test/domain/possession.test.ts',
      test: 'waits for a container that cannot be asked, and started before the Secret is known to hold the new token',
    },
  },
  {
    what: 'a token that the next run of a CronJob will hold counts as given up',
    file: 'domain/evidence/gather-evidence.ts',
    find: '...(seen.look.idleHolders ?? []).filter(',
    replace: '...(seen.look.idleHolders ?? []).slice(0, 0).filter(',
    caughtBy: {
      file: 'test/domain/evidence.test.ts',
      test: 'says what the next run of a consumer will hold: its old token is given up by nobody',
    },
  },
  {
    what: 'a smoke call is made from a container that holds another token',
    file: 'activities/kubernetes/create-activities.ts',
    find: 'tokens.some((token) => holds(container, token)) &&\n',
    replace: '(tokens.length === 0 || holds !== undefined) &&\n',
    caughtBy: {
      file: 'test/activities/kubernetes.test.ts',
      test: 'a smoke call is made only from a container that holds the token',
    },
  },
  {
    what: 'a later token that the sync wrote is not taken for the new one',
    file: 'workflows/rotation/steps/rollout.ts',
    find: 'if (await isSuperseded(round)) return undefined;',
    replace: 'if ((await isSuperseded(round)) && book === undefined) return undefined;',
    caughtBy: {
      file: 'test/workflows/meanwhile.test.ts',
      test: 'a later token that the sync wrote is the new one: the rollout waits for it, and the report names all',
    },
  },
  {
    what: 'an activity runs that no workflow scheduled',
    file: 'activities/heartbeat.ts',
    find: 'if (info.inWorkflow) return next(input);',
    replace: "if (info.activityType !== '') return next(input);",
    caughtBy: {
      file: 'test/worker/standalone-activities.test.ts',
      test: 'an activity that no workflow scheduled is refused: %s',
    },
  },
  {
    what: 'a run that a look shows with another token is forgotten, once one was sighted with the new',
    file: 'workflows/rotation/steps/look-again.ts',
    find: 'book.sightings.noticed(seen);',
    replace: '',
    caughtBy: {
      file: 'test/workflows/sightings.test.ts',
      test: 'a later run that a look shows with another token outweighs the one that was sighted',
    },
  },
  {
    what: 'a rotation ends by the tokens that were listed before the soak',
    file: 'workflows/rotation/steps/confirm.ts',
    find: 'return lookAgain(book, seen);',
    replace: 'return seen;',
    caughtBy: {
      file: 'test/workflows/meanwhile.test.ts',
      test: 'a later token that appears during the soak is proven before the rotation ends',
    },
  },
  {
    what: 'an abort before the revoke of a second approval comes too late',
    file: 'workflows/rotation/steps/revoke.ts',
    find: 'if (!begun) await book.stops.stopIfJustAsked();',
    replace: 'if (book.report.revoked.length === 0) await book.stops.stopIfJustAsked();',
    caughtBy: {
      file: 'test/workflows/stopping.test.ts',
      test: 'an abort while the last look before a second approval’s revoke is under way revokes nothing more',
    },
  },
  {
    what: 'a Job between two tries is nobody’s',
    file: 'activities/kubernetes/snapshot.ts',
    find: 'const owned = [...pods, ...next].map((pod) => {',
    replace: 'const owned = pods.concat(next.slice(0, 0)).map((pod) => {',
    caughtBy: {
      file: 'test/activities/consumers.test.ts',
      test: 'a Job between two tries is a consumer that is about to start, whoever owns it',
    },
  },
  {
    what: 'a disused pair is watched for under the present name of its Secret alone',
    file: 'activities/kubernetes/await-reader.ts',
    find: '.filter(({ secret }) => isWanted(secret));',
    replace: '.filter(({ secret }) => secret === own && isWanted(secret));',
    caughtBy: {
      file: 'test/whole/unseen.test.ts',
      test: 'a pod that reads the Secret under an older name for a moment shows that a pair is not disused',
    },
  },
  {
    what: 'a pod of a kind that nothing lists gives up the old token by ending',
    file: 'domain/rotation/holders.ts',
    find: '!IS_LISTED.test(workload) && token',
    replace: 'workload.length === 0 && token',
    caughtBy: {
      file: 'test/whole/unseen.test.ts',
      test: 'a pod of an Argo Workflow that held the old token and ended is no sign that the next one will not: it is accepted by name',
    },
  },
  {
    what: 'a container that cannot be asked, and started before the sync Job, counts as new enough',
    file: 'activities/kubernetes/create-activities.ts',
    find: 'known = inSecretSince(now, token, known, broughtAt);',
    replace: "known = '2000-01-01T00:00:00Z';",
    caughtBy: {
      file: 'test/whole/unseen.test.ts',
      test: 'a container that cannot be asked and started before the sync Job was made is waited for: it has the old value',
    },
  },
  {
    what: 'evidence without any consumer lacks nothing',
    file: 'domain/evidence/gather-evidence.ts',
    find: 'consumers.length === 0 &&',
    replace: 'consumers.length < 0 &&',
    caughtBy: {
      file: 'test/domain/evidence.test.ts',
      test: 'where no container that has the token is left, nothing shows what the next will hold',
    },
  },
  {
    what: 'a pod that mounts the Secret for a moment reads nothing',
    file: 'activities/kubernetes/await-reader.ts',
    find: 'filesOf(spec).filter(isWanted)',
    replace: 'filesOf(spec).filter(() => false)',
    caughtBy: {
      file: 'test/activities/kubernetes.test.ts',
      test: 'is told of one that mounts the Secret as files',
    },
  },
  {
    what: 'a token that the next run of a consumer will hold is revoked, if its holder was unknown',
    file: 'domain/evidence/voided.ts',
    find: '!heldBy.includes(describeIdle(idle)),',
    replace: 'heldBy.length > 0 && !heldBy.includes(describeIdle(idle)),',
    caughtBy: {
      file: 'test/domain/voided.test.ts',
      test: 'by one that will hold a token whose holder was unknown, unless the approver was told',
    },
  },
  {
    what: 'a sync Job is made beside one that runs',
    file: 'activities/argo/create-activities.ts',
    find: 'if (running !== undefined) {',
    replace: "if (running === '') {",
    caughtBy: {
      file: 'test/activities/argo.test.ts',
      test: 'makes no Job beside one that runs on, which could write older tokens: names it at the deadline',
    },
  },
  {
    what: 'an error page that may hide a refused password does not count',
    file: 'activities/signon/session.ts',
    find: 'return status >= 500 && status !== 503;',
    replace: 'return status >= 600;',
    caughtBy: {
      file: 'test/activities/signon.test.ts',
      test: '%s after Signon judged the password may hide a refusal, and counts',
    },
  },
  {
    what: 'a watch of pods begins anew each time, and what came and went between is unseen',
    file: 'activities/kubernetes/pod-watch.ts',
    find: 'resourceVersion: since,',
    replace: 'resourceVersion: since.slice(0, 0),',
    caughtBy: {
      file: 'test/activities/kubernetes.test.ts',
      test: 'is told of one that came and went while the watch was cut or refused',
    },
  },
  {
    what: 'without KUBECONFIG, the kubeconfig at home is taken',
    file: 'worker/clients.ts',
    find: "throw new BadConfiguration('worker', ['KUBECONFIG: set it; this is no pod of a cluster']);",
    replace: 'return (config.loadFromDefault(), withTokenFiles(config, []));',
    caughtBy: {
      file: 'test/config/configuration.test.ts',
      test: 'none is read that nobody named: the one at home may be of another environment',
    },
  },
  {
    what: 'a run that holds the new token ends an approval',
    file: 'workflows/rotation/sightings.ts',
    find: '!isApproved || this.isAgainst(seen, newToken)',
    replace: 'isApproved || !isApproved || this.isAgainst(seen, newToken)',
    caughtBy: {
      file: 'test/workflows/sightings.test.ts',
      test: 'a run that holds the new token takes nothing from the first of two approvals',
    },
  },
  {
    what: 'the plan of a hand-over that was approved is forgotten where its history is cut',
    file: 'workflows/rotation/runbook.ts',
    find: 'this.agreedKey = carried?.agreedKey;',
    replace: 'this.agreedKey = undefined;',
    caughtBy: {
      file: 'test/long/floods.test.ts',
      test: 'a plan that was approved is not asked again after its history is cut, nor is a token handed over twice',
    },
  },
  {
    what: 'a watch that no server answers is waited for without a word',
    file: 'activities/kubernetes/await-reader.ts',
    find: 'if (version === undefined) throw error;',
    replace: 'throw error;',
    caughtBy: {
      file: 'test/activities/kubernetes.test.ts',
      test: 'is told that every watch was cut for too long',
    },
  },
  {
    what: 'a Job that rests is nobody’s',
    file: 'activities/kubernetes/pods.ts',
    find: "? 'rests' : 'starts'",
    replace: "? undefined : 'starts'",
    caughtBy: {
      file: 'test/activities/idle-consumers.test.ts',
      test: 'a Job of its own that %s is a consumer of what it will read',
    },
  },
  {
    what: 'a value of any depth is taken from outside',
    file: 'config/payload-converter.cjs',
    find: 'return isUsable(value, DEEPEST) ? value : undefined;',
    replace: 'return value;',
    caughtBy: {
      file: 'test/config/payload-converter.test.ts',
      test: 'what is nested deeper than anything of ours is nothing',
    },
  },
  {
    what: 'the next rotation forgets a pod that nothing lists',
    file: 'workflows/rotation/steps/assess.ts',
    find: 'holding: tokens, also, passing,',
    replace: 'holding: tokens, also, passing: passing?.slice(0, 0),',
    caughtBy: {
      file: 'test/whole/unseen.test.ts',
      test: 'a pod of an Argo Workflow that held the old token is known to the next rotation, too',
    },
  },
  {
    what: 'a left-over Secret of no pair counts as read by every pair',
    file: 'workflows/rotation/disused-watch.ts',
    find: 'return census.withoutToken?.includes(secret) === true;',
    replace: "return census.withoutToken?.includes('') === true;",
    caughtBy: {
      file: 'test/whole/unseen.test.ts',
      test: 'a Secret that is left over of a pair that is gone keeps no other pair from being disused, once its reader told what it holds',
    },
  },
  {
    what: 'a sync Job that was deleted before its end was seen counts as one that ended well',
    file: 'activities/kubernetes/create-activities.ts',
    find: 'sync?.isUnsure ? undefined : syncedAt',
    replace: 'syncedAt',
    caughtBy: {
      file: 'test/whole/unseen.test.ts',
      test: 'a sync Job that was deleted before its end was seen is no sign that the Secret has the token: a container that cannot be asked is waited for',
    },
  },
  {
    what: 'a sync Job is taken over beside which an older one still runs',
    file: 'activities/argo/create-activities.ts',
    find: "(job) => job.state === 'running' && !isLater(job)",
    replace: "(job) => job.state === 'running' && !isLater(job) && !before.some(isLater)",
    caughtBy: {
      file: 'test/activities/argo.test.ts',
      test: 'takes no Job over beside which an older one runs, which could write older tokens after it: makes one once that has ended',
    },
  },
  {
    what: 'a container that was started again while it was asked dates the token',
    file: 'activities/kubernetes/look.ts',
    find: 'if (asked.length > 0 && mute.some(isReader)) {',
    replace: 'if (asked.length < 0 && mute.some(isReader)) {',
    caughtBy: {
      file: 'test/activities/killed.test.ts',
      test: 'a container that was started again in its pod while it was asked, %s, does not show that the Secret had the token when it started first',
    },
  },
  {
    what: 'a Secret that lost the new token is believed to have had it all along',
    file: 'domain/cluster/possession.ts',
    find: 'moments.filter((moment) => others.every((other) => other < moment))',
    replace: 'moments.filter((moment) => others.every(() => moment > 0))',
    caughtBy: {
      file: 'test/domain/round.test.ts',
      test: 'a container that got another token from the Secret later shows that the Secret lost the token: one that cannot be asked must start after it has it again',
    },
  },
];
