"""A node that counts the messages it receives. Change it as you like; the header of seedbed.py documents what you can use."""

import seedbed


class Node(seedbed.Node):
    def on_init(self):
        # Also called after a crash: what was saved is in self.saved, and everything else is lost.
        self.heard = self.saved.get("heard", 0)
        self.set_timer("tick", self.random.uniform(0.1, 0.2))

    def on_timer(self, name):
        self.broadcast({"type": "Hello", "heard": self.heard})
        self.set_timer("tick", self.random.uniform(0.1, 0.2))

    def on_message(self, src, message):
        if message["type"] == "Hello":
            self.heard += 1
            self.save("heard", self.heard)
            print(src, "has heard", message["heard"])


seedbed.run(Node)
