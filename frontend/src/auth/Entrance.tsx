/** The pages for those who are not signed in. */
import { Route, Switch } from "wouter";
import { Forgot, Reset } from "./Forgot";
import { Invite } from "./Invite";
import { SignIn } from "./SignIn";
import { SignUp } from "./SignUp";

export default function Entrance() {
  return (
    <Switch>
      <Route path="/signup">
        <SignUp />
      </Route>
      <Route path="/forgot">
        <Forgot />
      </Route>
      <Route path="/reset/:token">{({ token }) => <Reset token={token} />}</Route>
      <Route path="/invite/:token">{({ token }) => <Invite token={token} />}</Route>
      <Route>
        <SignIn />
      </Route>
    </Switch>
  );
}
