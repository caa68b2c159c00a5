/** What whoever stops this process has to know about the attempts that go on in it. */
export abstract class AttemptsUnderWay {
  /**
   * How much longer than `WEBHOOK_TIMEOUT_SECONDS` one of them may take, in milliseconds: subscriptions may have a budget of
   * their own.
   */
  abstract get extraMs(): number;
}
