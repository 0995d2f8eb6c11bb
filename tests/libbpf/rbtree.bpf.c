// SPDX-License-Identifier: Apache-2.0
// A tree and a list of objects that the program allocates itself.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

extern void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;
extern int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
			       bool(less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *meta, __u64 off) __ksym;
extern struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) __ksym;
extern struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
extern int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, __u64 off) __ksym;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;

#define bpf_obj_new(type) ((type *)bpf_obj_new_impl(bpf_core_type_id_local(type), NULL))
#define bpf_obj_drop(object) bpf_obj_drop_impl(object, NULL)
#define private(name) SEC(".data." #name) __hidden __attribute__((aligned(8)))

struct number {
	struct bpf_rb_node node;
	__u64 value;
};

struct item {
	struct bpf_list_node node;
	__u64 value;
};

private(tree) struct bpf_spin_lock tree_lock;
private(tree) struct bpf_rb_root tree __contains(number, node);
private(list) struct bpf_spin_lock list_lock;
private(list) struct bpf_list_head list __contains(item, node);

__u64 smallest = 0, first = 0;

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return container_of(a, struct number, node)->value < container_of(b, struct number, node)->value;
}

static __always_inline int add(__u64 value)
{
	struct number *number = bpf_obj_new(typeof(*number));
	struct item *item = bpf_obj_new(typeof(*item));

	if (number) {
		number->value = value;
		bpf_spin_lock(&tree_lock);
		bpf_rbtree_add_impl(&tree, &number->node, less, NULL, 0);
		bpf_spin_unlock(&tree_lock);
	}
	if (item) {
		item->value = value;
		bpf_spin_lock(&list_lock);
		bpf_list_push_back_impl(&list, &item->node, NULL, 0);
		bpf_spin_unlock(&list_lock);
	}
	return 0;
}

SEC("tc")
int fill(struct __sk_buff *skb)
{
	add(30);
	add(10);
	add(20);
	return 0;
}

SEC("tc")
int take(struct __sk_buff *skb)
{
	struct bpf_rb_node *node;
	struct bpf_list_node *front;

	bpf_spin_lock(&tree_lock);
	node = bpf_rbtree_first(&tree);
	if (node)
		node = bpf_rbtree_remove(&tree, node);
	bpf_spin_unlock(&tree_lock);
	if (node) {
		struct number *number = container_of(node, struct number, node);

		smallest = number->value;
		bpf_obj_drop(number);
	}
	bpf_spin_lock(&list_lock);
	front = bpf_list_pop_front(&list);
	bpf_spin_unlock(&list_lock);
	if (front) {
		struct item *item = container_of(front, struct item, node);

		first = item->value;
		bpf_obj_drop(item);
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
